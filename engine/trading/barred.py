"""Resting orders that an incoming one reaches and may not trade with: its own account's, and those outside the band."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.terms.codes import PRICE_OUTSIDE_BAND, SELF_TRADE_PREVENTION
from engine.terms.events import Event
from engine.terms.rules import CANCEL_BOTH, CANCEL_INCOMING, CANCEL_RESTING, DECREMENT

if TYPE_CHECKING:
    from engine.resting.ladder import Ladder
    from engine.resting.side import BookSide
    from engine.terms.orders import Order


def prevent(book: Ladder, taker: Order, maker: Order, mode: str, events: list[Event]) -> None:
    """Resolve the meeting of `taker` with `maker`, of the same account, by `mode`; the maker is told first.

    No trade prints and no price moves (FIX SelfMatchPreventionInstruction 2964, after CME and Nasdaq). The account is
    what the caller says it is; this exchange uses the broker and the end customer's document. Afterwards at least one
    of the two has nothing left.
    """
    shared = min(taker.remaining, maker.remaining)
    if mode in (CANCEL_RESTING, CANCEL_BOTH, DECREMENT):
        book.cancel(maker, shared if mode == DECREMENT else maker.remaining, SELF_TRADE_PREVENTION, events)
    if mode in (CANCEL_INCOMING, CANCEL_BOTH, DECREMENT):
        book.cancel(taker, shared if mode == DECREMENT else taker.remaining, SELF_TRADE_PREVENTION, events)


def drop_outside_band(book: Ladder, side: BookSide, worst: int, events: list[Event]) -> None:
    """Cancel what an order that reaches key `worst` meets in `side`, but the band does not let trade at its price.

    A bid above the band, or an ask below it, was entered before the band was there, or was where it is now. It
    would be the first to trade with anything that comes, at a price that may not print; left in place it would
    block its side of the market.
    """
    while side.best is not None and side.best.key > side.outermost and side.best.key >= worst:
        order = side.best.head
        assert order is not None  # noqa: S101 - a level in the book is never empty
        book.cancel(order, order.remaining, PRICE_OUTSIDE_BAND, events)
