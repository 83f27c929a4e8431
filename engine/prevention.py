"""Self-trade prevention: what happens instead of a trade between two orders of one account.

No trade prints and no price moves (FIX SelfMatchPreventionInstruction 2964, after CME and Nasdaq). The account is
what the caller says it is; this exchange uses the broker and the end customer's document.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.codes import SELF_TRADE_PREVENTION
from engine.events import Event
from engine.rules import CANCEL_BOTH, CANCEL_INCOMING, CANCEL_RESTING, DECREMENT

if TYPE_CHECKING:
    from engine.ladder import Ladder
    from engine.orders import Order


def prevent(book: Ladder, taker: Order, maker: Order, mode: str, events: list[Event]) -> None:
    """Resolve the meeting of `taker` with `maker`, of the same account, by `mode`; the maker is told first.

    Afterwards at least one of the two has nothing left.
    """
    shared = min(taker.remaining, maker.remaining)
    if mode in (CANCEL_RESTING, CANCEL_BOTH, DECREMENT):
        book.cancel(maker, shared if mode == DECREMENT else maker.remaining, SELF_TRADE_PREVENTION, events)
    if mode in (CANCEL_INCOMING, CANCEL_BOTH, DECREMENT):
        book.cancel(taker, shared if mode == DECREMENT else taker.remaining, SELF_TRADE_PREVENTION, events)
