"""From one trading state to the next. Any may follow any other but the last.

- Into `open`: what crosses is uncrossed first, all at one price, like an auction that ends. Market orders that are left
  over are then matched, oldest first, and stops that the last price has reached are elected.
- Into `closed`: day orders expire, and so do market orders that waited for an auction. The last price becomes the
  reference of the next session.
- Into `halted`, `pre_open` or `auction`: everything stays where it is.
- Into `delisted`: all orders are cancelled, and no other state follows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.terms import codes
from engine.terms.events import Event, Rejected, StateChanged
from engine.terms.order_types import DAY
from engine.terms.states import ALL_STATES, CLOSED, DELISTED, GATHERING, OPEN
from engine.trading.auction import uncross
from engine.trading.election import elect
from engine.trading.entering import enter

if TYPE_CHECKING:
    from engine.resting.ladder import Ladder
    from engine.terms.commands import State
    from engine.terms.orders import Order


def change_state(book: Ladder, command: State, events: list[Event]) -> None:
    """Carry out `command`, or refuse a state that does not exist."""
    if command.state not in ALL_STATES:
        events.append(Rejected(None, codes.INVALID_STATE))
        return
    if book.state not in command.only_from:
        events.append(Rejected(None, codes.STATE_NOT_LEFT))
        return
    if command.state == OPEN:
        uncross(book, events)
        book.anchor = book.last_price
    book.state, book.watchful = command.state, True
    events.append(StateChanged(command.state, command.reason))
    if command.state == OPEN:
        _match_left_over(book, events)
        elect(book, events, book.last_price)
    elif command.state == CLOSED:
        end_session(book, events)
    elif command.state == DELISTED:
        for order in _all_orders(book):
            book.cancel(order, order.remaining, codes.DELISTED, events)


def end_auction(book: Ladder, events: list[Event]) -> None:
    """Trade what the orders that have gathered allow, or refuse where none are gathered."""
    if book.state not in GATHERING:
        events.append(Rejected(None, codes.NO_AUCTION))
        return
    uncross(book, events)


def _waiting_for_auction(book: Ladder) -> list[Order]:
    """The market orders that have gathered, oldest first."""
    return sorted([*book.bids.market, *book.asks.market], key=lambda order: order.priority)


def _match_left_over(book: Ladder, events: list[Event]) -> None:
    for order in _waiting_for_auction(book):
        if book.state != OPEN:  # one before it has called a volatility auction
            break
        book.leave(order)
        enter(book, order, events)


def _all_orders(book: Ladder) -> list[Order]:
    """Everything in the book, oldest first."""
    return sorted(book.orders.values(), key=lambda order: order.priority)


def end_session(book: Ladder, events: list[Event]) -> None:
    """Expire what ends with a session, and make the last price the reference of the next one."""
    for order in _waiting_for_auction(book):
        book.expire(order, events)
    for order in _all_orders(book):
        if order.tif == DAY:
            book.expire(order, events)
    if book.last_price is not None:
        book.reference = book.last_price
