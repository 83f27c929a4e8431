"""What the simulator is told to do."""

from __future__ import annotations

from dataclasses import dataclass, field

from .fair_value import Temper


@dataclass(frozen=True)
class Plan:
    """`rate`: orders and cancels a second, of all `symbols` together. Raises ValueError for what cannot be."""

    symbols: tuple[str, ...]
    rate: float = 20.0
    seed: int = 1
    clustering: float = 0.85
    """How many others each arrival brings about; below 1."""
    speed: float = 1.0
    """How much faster than the clock on the wall everything happens."""
    burst: int = 25
    """At most so many times the mean of a stock within one of its seconds, 20 at least."""
    held_only: bool = False
    """Whether to leave out stocks of which no broker of the simulator has a share at the beginning."""
    temper: Temper = field(default_factory=Temper)

    def __post_init__(self) -> None:
        if not self.symbols:
            raise ValueError("there are no stocks to trade")
        if self.rate <= 0 or self.speed <= 0:
            raise ValueError("rate and speed are above 0")
        if not 0 <= self.clustering < 1:
            raise ValueError(f"clustering is below 1, not {self.clustering}: else clusters never end")

    @property
    def rate_of_stock(self) -> float:
        """Orders and cancels a second, of each stock."""
        return self.rate / len(self.symbols)

    @property
    def most_per_second(self) -> int:
        """Arrivals of one stock."""
        return max(int(self.rate_of_stock * self.burst), 20)
