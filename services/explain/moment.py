"""The moment of a trade: its command carried out once more on the book as it was, and held against what is stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.book import Book
from engine.terms.events import AuctionTrade, Event, Trade
from engine.terms.orders import ASK, BID, SIDES, Order
from engine.terms.rules import LAST
from services.explain.meeting import Meeting, meeting_of
from services.explain.own_fill import OwnFill
from services.explain.queues import Queues
from services.history.again import command_again
from services.history.rebuilding import BookBefore, BrokenHistory, Reading, book_before
from services.settlement.ledger import broker_of
from services.timestamps import microseconds

DEPTH: Final = 10
"""Levels a side of the book before and after."""

Side = list[dict[str, int | None]]


@dataclass(frozen=True, slots=True)
class Moment:
    """What was there when a trade happened; prices in cents."""

    order: Order
    """One's own, after the command."""
    aggressor: Order | None
    """None in an auction."""
    prevention: str
    """The stock's mode of self-trade prevention."""
    state: str
    """The trading state when the command came; an auction ends one in which orders gathered."""
    reference: int | None
    """What the band lay around when the order came that took; in an auction when it ended."""
    around: int | None
    """What the dynamic band lay around."""
    meeting: Meeting
    levels: list[list[Any]]
    book_before: dict[str, Side]
    book_after: dict[str, Side]


def moment_of(fill: OwnFill, reading: Reading, pause: Callable[[], None]) -> Moment:
    """The moment of this fill. Raises TooFar; BrokenHistory where what comes of it is not what is stored."""
    before = book_before(reading, fill.stock, fill.trade.command_sequence, pause)
    book, state, reference, last_price = before.book, before.book.state, before.book.reference, before.book.last_price
    shown = _shown(book)
    queues = Queues(book, before.entered, microseconds(before.command.sequenced_at), pause)
    events = _carried_out(before)
    trade = _same_trade(fill, [event for event in events if isinstance(event, Trade)])
    is_auction = isinstance(trade, AuctionTrade)
    side = SIDES[fill.side]
    meeting = meeting_of(events, trade, queues, -side if is_auction or fill.is_aggressor else side)
    came = events[: meeting.events_before]
    return Moment(
        order=trade.maker if trade.maker.side == side else trade.taker,
        aggressor=None if is_auction else trade.taker,
        prevention=book.rules.stp,
        state=state,
        reference=_reference(came, reference, book),
        around=next((event.price for event in came if isinstance(event, AuctionTrade)), last_price),
        meeting=meeting,
        levels=meeting.levels(),
        book_before=shown,
        book_after=_shown(book),
    )


def _carried_out(before: BookBefore) -> list[Event]:
    command = command_again(before.command, before.book)
    if command is None:
        raise BrokenHistory
    return before.book.apply(command, microseconds(before.command.sequenced_at))


def _same_trade(fill: OwnFill, trades: Sequence[Trade]) -> Trade:
    """The fill's trade among those that came of its command again. Raises BrokenHistory."""
    stored, row = fill.of_command, fill.trade
    volume, notional = sum(trade.quantity for trade in trades), sum(trade.quantity * trade.price for trade in trades)
    if (len(trades), volume, notional) != (stored.trades, int(stored.volume), int(stored.notional)):
        raise BrokenHistory
    trade: Trade = trades[stored.place]
    bid, ask = (trade.taker, trade.maker) if trade.taker.side == BID else (trade.maker, trade.taker)
    found = (bid.id, ask.id, broker_of(bid), broker_of(ask), trade.price, trade.quantity, SIDES[row.aggressor_side])
    wanted = (row.buy_order_id, row.sell_order_id, row.buyer_id, row.seller_id, row.price, row.quantity)
    if found != (*wanted, trade.taker.side) or isinstance(trade, AuctionTrade) != row.is_auction:
        raise BrokenHistory
    return trade


def _reference(came: Sequence[Event], reference: int | None, book: Book) -> int | None:
    """What the reference was after these events of a command, which had found `reference` (cents)."""
    for event in came:
        follows = isinstance(event, AuctionTrade) or book.rules.band_reference == LAST
        if isinstance(event, Trade) and (follows or reference is None):
            reference = event.price
    return reference


def _shown(book: Book) -> dict[str, Side]:
    return {"bids": _side(book, BID), "asks": _side(book, ASK)}


def _side(book: Book, side: int) -> Side:
    """The best levels as everybody sees them; market orders that wait for an auction come first, without a price."""
    market = book.side(side).market
    levels: list[tuple[int | None, int, int]] = [*book.depth(side, DEPTH)]
    if market.count:
        levels.insert(0, (None, market.quantity, market.count))
    return [{"price": price, "total_quantity": shares, "order_count": count} for price, shares, count in levels]
