"""A stock's book and its tape as they are now."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import text

from database.statements import Statements
from engine.terms.states import GATHERING
from services.errors import UnknownOrder
from services.market_data.snapshots import BOOK_DEPTH
from services.prices import indicative
from services.stocks.listing import listed_id, unknown_stock

VERSION = text("""
    SELECT book_version, (SELECT word FROM epochs WHERE id = 1) AS epoch, state FROM stocks WHERE symbol = :symbol
""")
VERSIONS = text("SELECT symbol, book_version FROM stocks WHERE symbol = ANY(:symbols)")

QUOTED = "{0}.closed_at IS NULL AND {0}.status NOT IN ('pending', 'untriggered') AND {0}.price IS NOT NULL"
"""What stands in the book at a price: nothing that is not in it yet, no stops that wait, no market orders."""

LEVELS = """(
    SELECT coalesce(json_agg(json_build_object(
        'price', l.price, 'total_quantity', l.total_quantity, 'order_count', l.order_count) ORDER BY l.price {order}
    ), '[]')
    FROM (
        SELECT o.price, sum(coalesce(o.shown_quantity, o.remaining_quantity)) AS total_quantity,
            count(*) AS order_count
        FROM orders o WHERE o.stock_id = s.id AND o.side = '{side}' AND {quoted}
        GROUP BY o.price ORDER BY o.price {order} LIMIT :depth
    ) l
)"""

BOOKS = text(f"""
    SELECT s.symbol, s.book_version AS version, s.event_sequence AS sequence, s.book_sequence,
        {LEVELS.format(side="bid", order="DESC", quoted=QUOTED.format("o"))} AS bids,
        {LEVELS.format(side="ask", order="ASC", quoted=QUOTED.format("o"))} AS asks
    FROM stocks s WHERE s.symbol = ANY(:symbols)
""")  # noqa: S608 - constants of this file
"""One statement, so version, sequence and levels of a book belong together. Of icebergs only what they show counts."""

ENTRY = text(f"""
    SELECT o.id, s.symbol, o.side, o.price, coalesce(o.shown_quantity, o.remaining_quantity) AS remaining_quantity,
        count(a.id) AS ahead, coalesce(sum(coalesce(a.shown_quantity, a.remaining_quantity)), 0) AS quantity_ahead
    FROM orders o JOIN stocks s ON s.id = o.stock_id
    LEFT JOIN orders a ON a.stock_id = o.stock_id AND {QUOTED.format("a")} AND a.side = o.side AND a.price = o.price
        AND a.priority < o.priority
    WHERE o.id = :order_id AND s.symbol = :symbol AND {QUOTED.format("o")}
    GROUP BY o.id, s.symbol
""")  # noqa: S608 - constants of this file

TAPES = text("""
    SELECT symbol, event_sequence, state, state_reason, reference_price, last_price, indicative_price,
        indicative_volume, indicative_surplus
    FROM stocks WHERE symbol = ANY(:symbols)
""")


def book_version(session: Statements, symbol: str) -> tuple[int, str, bool]:
    """Which version of its book is a stock's, the epoch of its numbers, and whether orders gather there.

    Raises UnknownStock.
    """
    row = session.execute(VERSION, {"symbol": symbol}).one_or_none()
    if row is None:
        raise unknown_stock(symbol)
    return row.book_version, row.epoch, row.state in GATHERING


def read_book(session: Statements, symbol: str, depth: int = BOOK_DEPTH) -> dict[str, Any]:
    """{symbol, version, sequence, book_sequence, bids, asks} with the best `depth` levels a side. Raises UnknownStock.

    Added up from the open orders. A level is {price (cents), total_quantity (shares), order_count}.
    """
    book = read_books(session, [symbol], {}, depth).get(symbol)
    if book is None:
        raise unknown_stock(symbol)
    return book


def usable(cached: Mapping[str, Any], version: int, depth: int = BOOK_DEPTH) -> dict[str, Any] | None:
    """The worker's last snapshot as `read_book` gives a book; None where it is of another version."""
    if cached.get("version") != version or "book_sequence" not in cached:
        return None
    return {**cached, "bids": cached["bids"][:depth], "asks": cached["asks"][:depth]}


def read_books(
    session: Statements, symbols: Collection[str], cached: Mapping[str, Mapping[str, Any]], depth: int = BOOK_DEPTH
) -> dict[str, dict[str, Any]]:
    """The books of those among `symbols` that are listed, as `read_book` has them, in two look-ups at most.

    `cached` are the worker's last snapshots; they are used where they are `usable`.
    """
    books: dict[str, dict[str, Any]] = {}
    if cached:
        for symbol, version in session.execute(VERSIONS, {"symbols": list(cached)}):
            if book := usable(cached[symbol], version, depth):
                books[symbol] = book
    rest = [symbol for symbol in symbols if symbol not in books]
    if rest:
        rows = session.execute(BOOKS, {"symbols": rest, "depth": depth})
        books.update({row.symbol: row._asdict() for row in rows})
    return books


def read_entry(session: Statements, symbol: str, order_id: int) -> dict[str, Any]:
    """Where an order stands in the book: its place (1 is next) and the shares ahead of it at its price.

    Raises UnknownStock, or UnknownOrder when it does not rest in this book. Says nothing about whose it is.
    """
    row = session.execute(ENTRY, {"symbol": symbol, "order_id": order_id}).one_or_none()
    if row is None:
        listed_id(session, symbol)
        raise UnknownOrder(f"There is no order {order_id} in the book of {symbol}.")
    return {
        "order_id": row.id,
        "symbol": row.symbol,
        "side": row.side,
        "price": row.price,
        "remaining_quantity": row.remaining_quantity,
        "place": row.ahead + 1,
        "quantity_ahead": int(row.quantity_ahead),
    }


def read_tapes(session: Statements, symbols: Collection[str]) -> dict[str, dict[str, Any]]:
    """Where the public tapes of those among `symbols` stand that are listed: last sequence, state, prices.

    In an auction `indicative` is what it would bring: {price (cents), volume, surplus (shares)}.
    """
    return {
        row.symbol: {
            "symbol": row.symbol,
            "sequence": row.event_sequence,
            "state": row.state,
            "state_reason": row.state_reason,
            "reference_price": row.reference_price,
            "last_price": row.last_price,
            "indicative": indicative(row),
        }
        for row in session.execute(TAPES, {"symbols": list(symbols)})
    }
