"""The books that a worker keeps in memory between its turns, and how one is rebuilt from open orders."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.book import Book
from engine.orders import Order
from engine.rules import Rules
from services.instants import microseconds
from services.journal import SIDES

OPEN_ORDERS = text("""
    SELECT id, broker_id, document_number, side, order_type, price, quantity, time_in_force, valid_until,
        self_trade_prevention, filled_quantity, filled_notional, cancelled_quantity, priority
    FROM orders WHERE stock_id = :stock_id AND closed_at IS NULL AND priority IS NOT NULL
    ORDER BY priority
""")


class Books:
    """Books by stock, each with the version it is a copy of.

    The version in `stocks`, read under the row's lock, says whether a copy is current: another worker, a crash or a
    rolled back turn costs a rebuild, never a wrong match.
    """

    def __init__(self) -> None:
        self._copies: dict[int, tuple[int, Book]] = {}
        self.rebuilds = 0

    def current(self, session: Session, stock: Any) -> Book:
        """The book of `stock` (its locked row), from memory where the copy is current."""
        copy = self._copies.get(stock.id)
        if copy is not None and copy[0] == stock.book_version:
            return copy[1]
        self.rebuilds += 1
        return rebuilt_book(session, stock)

    def keep(self, stock_id: int, version: int, book: Book) -> None:
        """Remember a book after its turn was committed as `version`."""
        self._copies[stock_id] = (version, book)

    def forget_all(self) -> None:
        """Drop every copy: a turn may have changed some without committing."""
        self._copies.clear()


def empty_book(stock: Any, reference: int | None) -> Book:
    """A book with the rules of `stock` and this session reference price (cents)."""
    rules = Rules(
        tick=stock.tick_size,
        lot=stock.lot_size,
        band_bps=stock.band_bps,
        execution_price=stock.execution_price,
        stp=stock.self_trade_prevention,
    )
    return Book(rules, reference)


def rebuilt_book(session: Session, stock: Any) -> Book:
    """The book of `stock` as its open orders say."""
    book = empty_book(stock, stock.reference_price)
    book.last_price = stock.last_price
    rows = session.execute(OPEN_ORDERS, {"stock_id": stock.id})
    book.restore(
        Order(
            row.id,
            (row.broker_id, row.document_number),
            SIDES[row.side],
            row.order_type,
            row.price,
            row.quantity,
            row.time_in_force,
            microseconds(row.valid_until),
            row.self_trade_prevention,
            row.filled_quantity,
            row.filled_notional,
            row.cancelled_quantity,
            row.priority,
        )
        for row in rows
    )
    return book
