"""What a trader sees of one stock, and what it can do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Level = tuple[int, int]
"""A price in cents and the shares at it."""

Side = Literal["bid", "ask"]


@dataclass(frozen=True, slots=True)
class OwnOrder:
    """An order of the simulator that rests; `trader` is who of its traders has placed it."""

    order_id: int
    trader: str
    side: Side
    price: int
    remaining: int


@dataclass(frozen=True)
class View:
    """One stock at one moment; prices in cents, quantities in shares."""

    now: float
    """Seconds since the simulator began."""
    bids: Sequence[Level]
    asks: Sequence[Level]
    tick: int
    lot: int
    lowest: int
    highest: int
    """The band: other prices are refused."""
    orders: Sequence[OwnOrder] = ()
    lean: dict[str, float] = field(default_factory=dict)
    """How much more than at the beginning each broker of the simulator has, -1 to 1: makers want to get rid of it."""
    holdings: dict[str, int] = field(default_factory=dict)
    """What traders have bought, by their names; below 0 what they have sold."""
    auction: bool = False
    """Whether orders only gather."""
    busy: frozenset[str] = frozenset()
    """The brokers of whose latest orders it is not known yet what became of them: makers quote nothing twice."""

    @property
    def best_bid(self) -> int | None:
        return self.bids[0][0] if self.bids else None

    @property
    def best_ask(self) -> int | None:
        return self.asks[0][0] if self.asks else None

    @property
    def middle(self) -> float | None:
        """Between the best prices; None where a side is empty, or the two cross."""
        if self.best_bid is None or self.best_ask is None or self.best_bid >= self.best_ask:
            return None
        return (self.best_bid + self.best_ask) / 2

    def of(self, trader: str) -> list[OwnOrder]:
        """The orders of one trader."""
        return [order for order in self.orders if order.trader == trader]

    def price(self, wanted: float, side: Side) -> int:
        """The nearest price that can be given, for a bid not above `wanted`, for an ask not below."""
        ticks = wanted / self.tick
        whole = int(ticks // 1) if side == "bid" else -int(-ticks // 1)
        lowest, highest = -(-self.lowest // self.tick), self.highest // self.tick
        return min(max(whole, lowest), highest) * self.tick

    def quantity(self, shares: float) -> int:
        """Whole lots, one at least."""
        return max(round(shares / self.lot), 1) * self.lot


@dataclass(frozen=True, slots=True)
class Place:
    """A limit order of `trader`; `at_once`: what is not filled at once is cancelled."""

    trader: str
    side: Side
    quantity: int
    price: int
    at_once: bool = False


@dataclass(frozen=True, slots=True)
class Cancel:
    """The end of an order that rests."""

    order: OwnOrder

    @property
    def trader(self) -> str:
        """Whose it is."""
        return self.order.trader


Action = Place | Cancel
