"""What happened in the book, in the order in which it happened.

Events carry the orders themselves, not copies: an order shows its state after the whole command. Quantities and
prices in an event are those of that moment. Treat events as read-only; they are not frozen only because freezing
would triple what one costs.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

from engine.terms.orders import Order


@dataclass(slots=True)
class Accepted:
    """The order is valid and about to be matched (FIX ExecType 150 = 0)."""

    order: Order


@dataclass(slots=True)
class Rejected:
    """The command was refused and changed nothing, because of `code`, one of `engine.terms.codes`.

    (FIX ExecType 8, CancelReject)
    """

    id: Hashable
    code: str


@dataclass(slots=True)
class Trade:
    """`maker` rested, `taker` came; `price` in cents, `quantity` in shares (FIX ExecType F)."""

    maker: Order
    taker: Order
    price: int
    quantity: int


class AuctionTrade(Trade):
    """A trade of an auction's end: both rested, and `maker` for longer (FIX LastLiquidityInd 851 = 4)."""

    __slots__ = ()


@dataclass(slots=True)
class Amended:
    """The order now has this price (cents) and total quantity (shares) (FIX ExecType 5).

    `old_price`, `old_remaining` and `remaining` are what it had before and has now, from which a reservation follows.
    """

    order: Order
    price: int
    quantity: int
    kept_priority: bool
    old_price: int
    old_remaining: int
    remaining: int


@dataclass(slots=True)
class Cancelled:
    """`quantity` shares left the order without a trade, for `reason` (FIX ExecType 4).

    The order stays open if it has more than that: self-trade prevention in mode `decrement` takes a part.
    """

    order: Order
    quantity: int
    reason: str


@dataclass(slots=True)
class Expired:
    """Time, or an immediate order's only moment, ran out with `quantity` shares unfilled (FIX ExecType C)."""

    order: Order
    quantity: int


@dataclass(slots=True)
class Triggered:
    """The stop was elected and goes on as a market or a limit order (FIX ExecType L)."""

    order: Order


@dataclass(slots=True)
class Indicative:
    """What an auction would bring if it ended now (FIX MDEntryType Q, 269 = Q).

    `price` in cents, None while nothing would trade; `volume` shares; `surplus` shares that would be left over at that
    price, positive on the buying side, negative on the selling side.
    """

    price: int | None
    volume: int
    surplus: int


@dataclass(slots=True)
class StateChanged:
    """The stock has another trading state (FIX SecurityTradingStatus 326), because of `reason`."""

    state: str
    reason: str | None = None


@dataclass(slots=True)
class Corrected:
    """The last price (cents, None for none) is another one now, or might be: a trade does not stand as it was told."""

    last_price: int | None


Event = Accepted | Rejected | Trade | Amended | Cancelled | Expired | Triggered | Indicative | StateChanged | Corrected
