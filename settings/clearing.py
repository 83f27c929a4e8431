"""The section of `exchange.toml` about clearing, with defaults and bounds."""

from __future__ import annotations

from dataclasses import dataclass

from settings.fields import number


@dataclass(frozen=True)
class Clearing:
    """How long a trade can be busted, above how many cents two people decide, and what may be advanced in all."""

    window_seconds: int = number(1_800, 1, 604_800)
    second_person_above: int = number(100_000_000, 0, 10**17)
    guarantee_limit: int = number(1_000_000_000_000, 0, 10**17)
