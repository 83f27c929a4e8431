"""How a turn leaves the stocks: the counters of every one, and the state of those few where it is another now."""

from collections.abc import Sequence
from operator import attrgetter
from typing import NamedTuple

from database.columns import literals, names, number, quoted, unnest, word
from database.pipeline import Pipeline
from engine.book import Book
from engine.terms.orders import ASK, BID
from engine.terms.states import AUCTION
from services.settlement.turn_records import StockTurn


class StockInTurn(NamedTuple):
    """A stock of a turn: its counters as they are now, and its book."""

    turn: StockTurn
    book: Book


COUNTERS = (
    number("id", attrgetter("turn.id")),
    number("command_sequence", attrgetter("turn.command_sequence")),
    number("event_sequence", attrgetter("turn.event_sequence")),
    number("book_sequence", attrgetter("turn.book_sequence")),
    word("sequenced_at", attrgetter("turn.sequenced_at"), "timestamptz"),
    number("reference_price", attrgetter("book.reference")),
    number("last_price", attrgetter("book.last_price")),
    number("best_bid", lambda stock: stock.book.best(BID)),
    number("best_ask", lambda stock: stock.book.best(ASK)),
    number("bid_quantity", lambda stock: stock.book.best_quantity(BID)),
    number("ask_quantity", lambda stock: stock.book.best_quantity(ASK)),
)

UPDATE_STOCKS = f"""
    UPDATE stocks s SET book_version = s.book_version + 1, command_sequence = t.command_sequence,
        event_sequence = t.event_sequence, book_sequence = t.book_sequence, sequenced_at = t.sequenced_at,
        reference_price = t.reference_price, last_price = t.last_price, best_bid = t.best_bid, best_ask = t.best_ask,
        best_bid_quantity = t.bid_quantity, best_ask_quantity = t.ask_quantity
    FROM {unnest(COUNTERS)}
    WHERE s.id = t.id
"""  # noqa: S608 - names of this file

MARKETS = (
    number("id", attrgetter("turn.id")),
    word("state", attrgetter("book.state")),
    word("changed", lambda stock: "true" if stock.turn.state else "false", "boolean"),
    quoted("reason", lambda stock: stock.turn.state.reason if stock.turn.state else None),
    word("since", lambda stock: stock.turn.sequenced_at if stock.turn.state else None, "timestamptz"),
    word("set_by", attrgetter("turn.set_by")),
    number("session_sequence", lambda stock: stock.turn.session.sequence if stock.turn.session else None),
    number("session_reference", lambda stock: stock.turn.session.reference if stock.turn.session else None),
    word("began_at", attrgetter("turn.sequenced_at"), "timestamptz"),
    number("price", attrgetter("book.indicative.price")),
    number("volume", attrgetter("book.indicative.volume")),
    number("surplus", attrgetter("book.indicative.surplus")),
)

UPDATE_MARKETS = f"""
    UPDATE stocks s SET state = t.state,
        state_reason = CASE WHEN t.changed THEN t.reason ELSE s.state_reason END,
        state_since = CASE WHEN t.changed THEN t.since ELSE s.state_since END,
        state_set_by = CASE WHEN t.changed THEN t.set_by ELSE s.state_set_by END,
        indicative_price = t.price, indicative_volume = t.volume, indicative_surplus = t.surplus,
        session_sequence = coalesce(t.session_sequence, s.session_sequence),
        session_began_at = CASE WHEN t.session_sequence IS NULL THEN s.session_began_at ELSE t.began_at END,
        session_reference = CASE WHEN t.session_sequence IS NULL THEN s.session_reference ELSE t.session_reference END
    FROM {unnest(MARKETS)}
    WHERE s.id = t.id
"""  # noqa: S608 - names of this file
"""For the few stocks whose trading state changed, whose session began, or whose auction would bring something else."""


TOLD = (
    number("stock_id", attrgetter("turn.id")),
    number("command_sequence", attrgetter("turn.command_sequence")),
    number("price", attrgetter("book.indicative.price")),
    number("volume", attrgetter("book.indicative.volume")),
    number("surplus", attrgetter("book.indicative.surplus")),
    word("told_at", attrgetter("turn.sequenced_at"), "timestamptz"),
)
KEEP_INDICATIVES = f"INSERT INTO indicatives ({names(TOLD)}) SELECT * FROM {unnest(TOLD)}"  # noqa: S608


def update_stocks(sent: Pipeline, stocks: Sequence[StockInTurn]) -> None:
    """Advance the stocks, given in the order of their ids."""
    sent.send(UPDATE_STOCKS, *literals(COUNTERS, stocks))
    if markets := [stock for stock in stocks if stock.turn.state or stock.turn.indicates or stock.turn.session]:
        sent.send(UPDATE_MARKETS, *literals(MARKETS, markets))
    if told := [stock for stock in stocks if stock.turn.indicates and stock.book.state == AUCTION]:
        sent.send(KEEP_INDICATIVES, *literals(TOLD, told))
