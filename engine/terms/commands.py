"""What a book can be asked to do. Whatever changes a book is one of these, so a list of them is its whole history."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from engine.terms.codes import REQUESTED
from engine.terms.orders import Order
from engine.terms.states import STATES


class Unchanged(Enum):
    """The one value that says "leave it as it is" where None already says "never"."""

    UNCHANGED = "unchanged"


UNCHANGED: Final = Unchanged.UNCHANGED


@dataclass(slots=True)
class New:
    """Enter `order`, which belongs to the book from here on (FIX NewOrderSingle)."""

    order: Order


@dataclass(slots=True)
class Cancel:
    """Take what is left of an order out of the book (FIX OrderCancelRequest); `reason` is told with it."""

    id: Hashable
    reason: str = REQUESTED


@dataclass(slots=True)
class Amend:
    """Change an order that rests (FIX OrderCancelReplaceRequest).

    `price` in cents and `quantity` in shares, the new *total* including what is filled; None leaves them.
    `expire_at` in microseconds, None for never. `stop_price` in cents is for a stop that waits; `price` then is the new
    protection of one without a limit.
    """

    id: Hashable
    price: int | None = None
    quantity: int | None = None
    expire_at: int | Unchanged | None = UNCHANGED
    stop_price: int | None = None


@dataclass(slots=True)
class Close:
    """Close a position: cancel its owner's orders `ids`, which rest, then enter `order`.

    Whoever keeps the accounts says with `refused` (a code) that `order` cannot be paid for: the cancels stand then.
    """

    order: Order
    ids: Sequence[Hashable] = ()
    refused: str | None = None


@dataclass(slots=True)
class Clock:
    """Only let time pass: the orders that are due expire."""


@dataclass(slots=True)
class State:
    """Give the stock another trading state, one of `engine.terms.states.ALL_STATES` (FIX TradingSessionStatus).

    Refused where the stock is in none of the states `only_from` by then: a schedule does not end an operator's halt.
    """

    state: str
    reason: str | None = None
    only_from: tuple[str, ...] = STATES


@dataclass(slots=True)
class Uncross:
    """End the auction: trade what can trade, all at one price. The state stays as it is."""


@dataclass(slots=True)
class Roll:
    """End the day of a stock that stays in its state: day orders expire, and the last price becomes the reference.

    The daily roll of a market that never closes; and of a stock that is halted when the others close.
    """


@dataclass(slots=True)
class Correct:
    """A trade was busted, or stands at another price: the last price is that of the last trade that stands.

    `last_price` in cents, None where none stands (FIX ExecType H and G). Time does not pass, nothing else changes in
    the book, and no stop is elected; a band that follows the last price follows it from here.
    """

    last_price: int | None = None


Command = New | Cancel | Amend | Close | Clock | State | Uncross | Roll | Correct
