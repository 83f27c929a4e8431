"""Matching: an incoming order against the other side, best price first, oldest first (price-time priority)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.terms import codes
from engine.terms.events import Event, StateChanged, Trade
from engine.terms.order_types import LIMITED
from engine.terms.orders import ASK, BID, Order
from engine.terms.rules import CANCEL_RESTING, NO_LIMIT, NONE, SELLER, band_limits
from engine.terms.states import AUCTION
from engine.trading.barred import drop_outside_band, prevent

if TYPE_CHECKING:
    from collections.abc import Hashable

    from engine.resting.ladder import Ladder
    from engine.resting.side import BookSide
    from engine.terms.orders import Level


def match(book: Ladder, taker: Order, limit: int, events: list[Event]) -> None:
    """Trade `taker` at `limit` cents or better, until it is filled or nothing more may trade.

    What is left over stays in `taker.remaining`; the caller decides whether it rests. A trade that would leave the
    dynamic band does not happen: a volatility auction begins. The first trade of a book without a reference becomes
    its reference, for the commands that follow.
    """
    opposite, worst, reach, limit_of_seller = reach_of(book, taker, limit)
    level = opposite.best
    if level is None or level.key < worst:
        return
    mode = taker.stp or book.rules.stp
    account = None if mode == NONE else taker.account
    if level.key > opposite.outermost and not limit_of_seller:
        drop_outside_band(book, opposite, worst, events)
        level = opposite.best
    first_price = 0
    while level is not None and level.key >= reach:
        price = limit_of_seller or level.price
        if fill(book, level, taker, price, account, events):
            book.last_price = price
            first_price = first_price or price
        own = level.head
        if own is None:
            opposite.remove_best()
        elif taker.remaining:
            prevent(book, taker, own, mode, events)
        if not taker.remaining:
            break
        level = opposite.best
    if first_price or reach != worst:
        wants_more = taker.remaining > 0 and level is not None and level.key >= worst
        conclude(book, first_price, interrupted=wants_more, events=events)


def reach_of(book: Ladder, taker: Order, limit: int) -> tuple[BookSide, int, int, int]:
    """What `taker` meets at `limit` cents or better, as (side, worst, reach, limit of the seller).

    The side it trades with; the key of its limit there; the key down to which it may trade, which the dynamic band may
    bring nearer; and the price (cents) of every trade where the seller's limit is the price, 0 where the maker's is.
    """
    opposite = book.asks if taker.side == BID else book.bids
    worst = limit * opposite.sign
    rules = book.rules
    limit_of_seller = 0
    if rules.execution_price == SELLER and taker.side == ASK and taker.type in LIMITED:
        limit_of_seller = limit
    reach = dynamic_reach(book, opposite, worst, limit_of_seller) if rules.dynamic_band_bps else worst
    return opposite, worst, reach, limit_of_seller


def conclude(book: Ladder, first_price: int, *, interrupted: bool, events: list[Event]) -> None:
    """After a match: the reference moves, if it is to move; what was `interrupted` has called a volatility auction."""
    if first_price:
        book.note_trades(first_price)
    if interrupted:
        book.state, book.watchful = AUCTION, True
        events.append(StateChanged(AUCTION, codes.VOLATILITY))


def fill(book: Ladder, level: Level, taker: Order, price: int, account: Hashable, events: list[Event]) -> int:
    """Trade `taker` against the queue of `level` at `price`, and give the quantity that was traded.

    A level that is left without a head is to be dropped by the caller.
    Stops when either has nothing left, or when the next in the queue has the taker's `account` (None: never).
    """
    wanted = remaining = taker.remaining
    orders = book.orders
    count = level.count
    maker = level.head
    while maker is not None and remaining:
        if account is not None and maker.account == account:
            break
        if maker.display_quantity is not None and maker.shown < maker.remaining:
            quantity = min(maker.shown, remaining)
            current, maker = maker, reveal(book, level, maker, quantity)
        else:
            quantity = maker.remaining
            current = maker
            if quantity > remaining:
                quantity = remaining
                maker.remaining -= quantity
            else:
                maker.remaining = 0
                count -= 1
                del orders[maker.id]
                maker = maker.behind
                current.level = current.ahead = current.behind = None
            if current.display_quantity is not None:
                current.shown = current.remaining
        remaining -= quantity
        current.filled += quantity
        current.filled_value += quantity * price
        events.append(Trade(current, taker, price, quantity))
    traded = wanted - remaining
    level.head = maker
    if maker is not None:
        maker.ahead = None
    level.count = count
    level.quantity -= traded
    taker.remaining = remaining
    taker.filled += traded
    taker.filled_value += traded * price
    return traded


def reveal(book: Ladder, level: Level, order: Order, quantity: int) -> Order:
    """Take `quantity` shares off what an iceberg at the head of `level` shows, and give who is next at the head.

    With nothing left to show it shows a new part, and joins the back. The shares traded are left to the caller, who
    takes them off what the level shows.
    """
    order.remaining -= quantity
    order.shown -= quantity
    if order.shown:
        return order
    order.shown = min(order.display_quantity or 0, order.remaining)
    level.quantity += order.shown
    level.hidden -= order.shown
    order.priority = book.next_priority
    book.next_priority += 1
    if order.expire_at is not None:
        book.expiries.push(order, order.expire_at, book.orders)
    head, tail = order.behind, level.tail
    if head is None or tail is None:
        return order
    tail.behind, order.ahead, order.behind = order, tail, None
    level.tail = order
    return head


def dynamic_reach(book: Ladder, opposite: BookSide, worst: int, limit_of_seller: int) -> int:
    """The key of `opposite` down to which an order may trade that wants to reach key `worst`.

    What lies beyond would leave the dynamic band, which lies around the last price before the command, or the reference
    where nothing has traded. Where the very first trade would, nothing may trade: a bid far above the last price was
    entered when nobody sold, and is no reason to print one there. With a `limit_of_seller` (cents) every trade has that
    price: all or nothing. The band is to the cent: the tick may have grown since an order came to rest.
    """
    around = book.reference if book.anchor is None else book.anchor
    lowest, highest = band_limits(around, book.rules.dynamic_band_bps, tick=1)
    first = limit_of_seller or next((level.price for level in opposite if level.key <= opposite.outermost), lowest)
    if not lowest <= first <= highest:
        return NO_LIMIT + 1
    return max(worst, (highest if opposite.sign == ASK else lowest) * opposite.sign)


def would_fill(book: Ladder, taker: Order, limit: int) -> bool:
    """True if `match` would fill all of `taker`; looks, and changes nothing (fill or kill).

    Quantity that a band or self-trade prevention keeps from trading does not count; what icebergs hide does. A mode
    that takes anything off the incoming order leaves it unfilled by that much.
    """
    opposite, _, reach, limit_of_seller = reach_of(book, taker, limit)
    mode = taker.stp or book.rules.stp
    missing = taker.remaining
    for level in opposite:
        if level.key < reach or missing <= 0:
            break
        if level.key > opposite.outermost and not limit_of_seller:
            continue
        if mode == NONE or taker.account is None:
            missing -= level.quantity + level.hidden
            continue
        wanted, ahead = missing, 0
        for maker in level:
            if maker.account != taker.account:
                missing -= maker.remaining
                ahead += maker.remaining if maker.display_quantity is None else maker.shown
            elif mode != CANCEL_RESTING and wanted > ahead:
                return False  # what icebergs hide stands behind it
    return missing <= 0
