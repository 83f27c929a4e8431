"""What a run of the bench is asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from settings.sections import Settings


@dataclass(frozen=True)
class Options:
    """Length and size of a run: `seconds` for each load, the sizes of the market, and the seed of every choice."""

    settings: Settings = field(default_factory=Settings)
    seconds: int = 10
    stocks: int = 450
    brokers: int = 100
    seed: int = 1
    closed_orders: int = 1_000_000
    """Closed orders in the tables of the part `growth`."""
    deep_orders: int = 10_000
    """Open orders in each deep book of the part `growth`."""
    many_stocks: int = 4_500
    """Listed stocks in the part `growth`."""
    open_orders: int = 100_000
    """Open orders that a restarted worker finds."""
    clients: int = 1_000
    """Socket.IO clients on one stock."""
    waiting: int = 20_000
    """Deliveries that wait for a receiver which has been dead for an hour."""
    engine_orders: int = 100_000
    """Random orders that each engine gets."""
    rounds: int = 5
    """Rounds for each engine, of which the best counts, and for each kind of request, of which the median does."""
    requests: int = 3_000
    """Requests of each kind in a round of the part `requests`."""
    install_peers: bool = False
    """True if the engines to compare with may be installed from PyPI."""
    find: bool = False
    """True if the part `mixed` is to look for the highest rate that the exchange bears."""
    profile: Path | None = None
    """The folder for profiles of the web and match processes, where they are wanted."""

    def document(self) -> dict[str, int]:
        """Every size and length, for programs."""
        return {name: value for name, value in vars(self).items() if type(value) is int}

    @classmethod
    def quick(cls, settings: Settings, seed: int = 1) -> Options:
        """A look at whether everything works: small sizes, short loads, figures not worth comparing."""
        return cls(
            settings=settings,
            seed=seed,
            seconds=2,
            stocks=100,
            brokers=20,
            closed_orders=50_000,
            deep_orders=1_000,
            many_stocks=1_000,
            open_orders=10_000,
            clients=100,
            waiting=2_000,
            engine_orders=20_000,
            rounds=2,
            requests=500,
        )
