"""What the engine itself saw: a stock's whole journal through a fresh book, with a witness of each match.

Nothing of how fills are explained has a part in it: the witness looks at the queues at the very moment at which an
order is matched.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import engine.trading.entering
import engine.trading.state_changes
from engine.book import Book
from engine.terms.codes import SELF_TRADE_PREVENTION
from engine.terms.events import AuctionTrade, Cancelled, Trade
from engine.terms.orders import ASK, BID, Order
from services.history.again import JOURNAL, command_again
from services.matching.books import empty_book
from services.timestamps import microseconds, moment, timestamp

Shown = list[dict[str, Any]]


@dataclass
class Waiting:
    """An order that waited when another was matched, or when an auction ended."""

    order: Order
    price: int | None
    shown: int
    remaining: int
    entered_at: str


@dataclass
class Match:
    """One order against the queues of the other side; of an auction's end both sides and no taker."""

    taker: Order | None
    queues: list[Waiting]
    trades: list[Trade] = field(default_factory=list)
    limits: dict[int, int | None] = field(default_factory=dict)
    reference: int | None = None
    anchor: int | None = None
    state: str = ""
    prevented: int = 0
    """Shares of the taker's own that waited, which self-trade prevention took."""


@dataclass
class Carried:
    """A command, and what came of it."""

    row: Any
    before: dict[str, Shown]
    after: dict[str, Shown]
    trades: list[Trade]
    matches: list[Match]
    events: list[Any]

    def match_of(self, trade: Trade) -> Match:
        return next(match for match in self.matches if any(trade is each for each in match.trades))


def shown(book: Book) -> dict[str, Shown]:
    """The best ten levels a side as GET /stocks/{s}/book has them."""
    return {name: _side(book, side) for name, side in (("bids", BID), ("asks", ASK))}


def _side(book: Book, side: int) -> Shown:
    market = [order for order in book.orders.values() if order.side == side and order.type == "market"]
    first = [{"price": None, "total_quantity": sum(o.remaining for o in market), "order_count": len(market)}]
    return (first if market else []) + [
        {
            "price": level.price,
            "total_quantity": sum(_shown(order) for order in level),
            "order_count": sum(1 for _ in level),
        }
        for level in list(book.side(side))[:10]
    ]


def _shown(order: Order) -> int:
    return order.remaining if order.display_quantity is None else order.shown


class Witness:
    """Sees who waits when somebody is matched."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.now = 0
        self.entered: dict[tuple[Any, int], int] = {}
        self.matches: list[Match] = []

    def look(self, taker: Order | None) -> Match:
        sides = [self.book.bids, self.book.asks] if taker is None else [self.book.side(-taker.side)]
        waiting = [order for side in sides for level in side for order in level]
        if taker is None:
            waiting = [order for side in sides for order in side.market] + waiting
        book, queues = self.book, [self._waiting(order) for order in waiting]
        return Match(taker, queues, reference=book.reference, anchor=book.anchor, state=book.state)

    def _waiting(self, order: Order) -> Waiting:
        entered = self.entered.get((order.id, order.priority), self.now)
        price = None if order.type == "market" else order.price
        return Waiting(order, price, _shown(order), order.remaining, timestamp(moment(entered)))

    def note_places(self) -> None:
        for order in self.book.orders.values():
            self.entered.setdefault((order.id, order.priority), self.now)

    @contextmanager
    def watching(self) -> Iterator[None]:
        match, uncross = engine.trading.entering.match, engine.trading.state_changes.uncross

        def seen(act: Any, taker: Order | None, events: list[Any], *arguments: Any) -> None:
            known, began = self.look(taker), len(events)
            act(self.book, *arguments, events)
            known.trades = [event for event in events[began:] if isinstance(event, Trade)]
            known.prevented = sum(
                event.quantity
                for event in events[began:]
                if isinstance(event, Cancelled) and event.reason == SELF_TRADE_PREVENTION and event.order is not taker
            )
            orders = {order.id: order for trade in known.trades for order in (trade.maker, trade.taker)}
            known.limits = {id: order.price for id, order in orders.items()}
            self.matches.append(known)

        def matched(_: Book, taker: Order, limit: int, events: list[Any]) -> None:
            seen(match, taker, events, taker, limit)

        def uncrossed(_: Book, events: list[Any]) -> None:
            seen(uncross, None, events)

        with (
            patch.object(engine.trading.entering, "match", matched),
            patch.object(engine.trading.state_changes, "uncross", uncrossed),
        ):
            yield


def replayed(floor: Any, symbol: str) -> Iterator[tuple[Carried, Book]]:
    """Each command of the stock, with the book as it is after it."""
    (stock,) = floor.query("SELECT * FROM stocks WHERE symbol = :symbol", symbol=symbol)
    book = empty_book(stock, stock.listing_price)
    witness = Witness(book)
    rows = floor.query(f"{JOURNAL} WHERE stock_id = :id AND sequence IS NOT NULL ORDER BY sequence", id=stock.id)
    for row in rows:
        before, witness.now, witness.matches = shown(book), microseconds(row.sequenced_at), []
        command = command_again(row, book)
        with witness.watching():
            events = [] if command is None else book.apply(command, witness.now)
        witness.note_places()
        trades = [event for event in events if isinstance(event, Trade)]
        yield Carried(row, before, shown(book), trades, witness.matches, events), book


def is_auction(trade: Trade) -> bool:
    return isinstance(trade, AuctionTrade)
