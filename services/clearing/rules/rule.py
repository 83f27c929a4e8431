"""What a rule is given, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from settings.clearing import Clearing


@dataclass(frozen=True, slots=True)
class JudgedTrade:
    """A trade as it was executed: cents and shares. `state` is the trading state that its stock was in."""

    id: int
    price: int
    quantity: int
    reference_price: int | None
    is_auction: bool
    buyer_document: str
    seller_document: str
    buyer_trades: int
    seller_trades: int
    """Trades of either party in the second up to this one; counted no further than the rule needs."""
    state: str

    @property
    def notional(self) -> int:
        """Cents."""
        return self.price * self.quantity


Figures = Mapping[str, Any]
"""What a rule compared: the trade's own, and the limit."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`name` is the key of its action in `[clearing]`; `figures` gives None for a trade that does not break it."""

    name: str
    figures: Callable[[JudgedTrade, Clearing], Figures | None]


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that a trade breaks, what is to be done about it, and the figures."""

    rule: str
    action: str
    figures: Figures
