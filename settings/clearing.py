"""The section of `exchange.toml` about clearing, with defaults and bounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from settings.fields import choice, number

OFF, REFER, BUST = "off", "refer", "bust"
"""What a rule does with a trade that breaks it: nothing, refer it to a person, bust it."""


def _action() -> Any:
    return choice(REFER, OFF, REFER, BUST)


@dataclass(frozen=True)
class Clearing:
    """How long a trade can be busted, above how many cents two people decide, what may be advanced; and the rules.

    `price_guidelines` say how far in basis points a price may be from the trade's own reference, by that reference in
    cents. A limit of 0 is none.
    """

    window_seconds: int = number(1_800, 1, 604_800)
    second_person_above: int = number(100_000_000, 0, 10**17)
    guarantee_limit: int = number(1_000_000_000_000, 0, 10**17)
    price: str = _action()
    price_guidelines: tuple[str, ...] = field(
        default=("0:1000", "2500:500", "5000:300"),
        metadata={"kind": "guideline", "keys": ("from_price", "away_bps")},
    )
    size: str = _action()
    quantity_above: int = number(0, 0, 10**12)
    notional_above: int = number(100_000_000, 0, 10**17)
    same_document: str = _action()
    halted: str = _action()
    burst: str = _action()
    trades_per_second: int = number(500, 1, 1_000_000)
