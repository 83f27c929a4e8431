"""The books that a worker keeps in memory between its turns, and how one is rebuilt from open orders."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import text

from database.statements import Statements
from engine.book import Book
from engine.terms.orders import CONDITIONS, SIDES, Order
from engine.terms.rules import Rules
from engine.terms.states import OPEN
from services.accounts.known_accounts import KnownAccounts
from services.settlement.fees import fees_of_row
from services.settlement.trade_ids import TradeIds
from services.timestamps import microseconds
from services.webhooks.hooked_brokers import HookedBrokers

ORDER = f"""
    SELECT stock_id, id, broker_id, document_number, side, order_type, coalesce(price, protection_price) AS price,
        quantity, time_in_force, valid_until, self_trade_prevention, filled_quantity, filled_notional,
        remaining_quantity, cancelled_quantity, maker_bps, taker_bps, maker_notional, priority,
        {", ".join(CONDITIONS)}, triggered_at, shown_quantity
    FROM orders
"""  # noqa: S608 - names of the engine's
"""What `order_of` reads of an order."""

OPEN_ORDERS = text(f"""
    {ORDER} WHERE stock_id = ANY(:stock_ids) AND closed_at IS NULL AND priority IS NOT NULL
    ORDER BY stock_id, priority
""")

_conditions = attrgetter(*CONDITIONS)

TOGETHER = 16
"""Books rebuilt by one query: a restarted worker would else hold the rows of all open orders beside the books."""


@dataclass(frozen=True, slots=True)
class Copy:
    """A book, the version of the stock's row that it belongs to, and each side as it was last shown, in JSON."""

    version: int
    book: Book
    shown: dict[int, bytes]


class StuckStock(Exception):
    """A stock cannot go on: its rows contradict each other. Nothing was done; the other stocks are not concerned."""

    def __init__(self, symbol: str) -> None:
        super().__init__(f"{symbol} cannot be matched")
        self.symbol = symbol


class Books:
    """Books by stock, each with the version it is a copy of.

    The version in `stocks`, read under the row's lock, says whether a copy is current: another worker, a crash or a
    rolled back turn costs a rebuild, never a wrong match.
    """

    def __init__(self) -> None:
        self._copies: dict[int, Copy] = {}
        self.accounts = KnownAccounts()
        """Those that committed turns brought something."""
        self.trade_ids = TradeIds()
        self.hooks = HookedBrokers()
        self.rebuilds = 0

    def current(self, session: Statements, stocks: Sequence[Any]) -> dict[int, Book]:
        """The books of `stocks` (their locked rows) by id: from memory where the copy is current, else rebuilt."""
        copies = ((stock, self._copies.get(stock.id)) for stock in stocks)
        books = {stock.id: copy.book for stock, copy in copies if copy and copy.version == stock.book_version}
        missing = [stock for stock in stocks if stock.id not in books]
        if missing:
            self.rebuilds += len(missing)
            for begin in range(0, len(missing), TOGETHER):
                books |= rebuilt_books(session, missing[begin : begin + TOGETHER])
        return books

    def shown(self, stock: Any) -> dict[int, bytes]:
        """The sides of the book of `stock` as JSON, as they were last shown; empty where no copy is current."""
        copy = self._copies.get(stock.id)
        return dict(copy.shown) if copy is not None and copy.version == stock.book_version else {}

    def keep(self, stock_id: int, copy: Copy) -> None:
        """Remember a book after its turn was committed."""
        self._copies[stock_id] = copy

    def forget_all(self) -> None:
        """Drop everything: a turn may have changed some books without committing."""
        self._copies.clear()
        self.accounts.clear()
        self.trade_ids.forget()
        self.hooks.forget()


def empty_book(stock: Any, reference: int | None, last_price: int | None = None, state: str = OPEN) -> Book:
    """A book with the rules of `stock`, this session reference price and last price (cents), in this state."""
    rules = Rules(
        tick=stock.tick_size,
        lot=stock.lot_size,
        band_bps=stock.band_bps,
        execution_price=stock.execution_price,
        stp=stock.self_trade_prevention,
        band_reference=stock.band_reference,
        dynamic_band_bps=stock.dynamic_band_bps,
    )
    book = Book(rules, reference, last_price, state)
    book.tells_indicative = False  # once a turn is enough, and with deep books thousands of times would be too often
    return book


def rebuilt_books(session: Statements, stocks: Sequence[Any]) -> dict[int, Book]:
    """The books of `stocks` by id, as their open orders say; one query for all. Raises StuckStock."""
    symbols = {stock.id: stock.symbol for stock in stocks}
    books = {stock.id: empty_book(stock, stock.reference_price, stock.last_price, stock.state) for stock in stocks}
    rows = session.execute(OPEN_ORDERS, {"stock_ids": list(books)})
    for stock_id, resting in groupby(rows, key=attrgetter("stock_id")):
        try:
            books[stock_id].restore(map(order_of, resting))
        except Exception as error:
            raise StuckStock(symbols[stock_id]) from error
    return books


def order_of(row: Any) -> Order:
    """The engine's order for a row of `orders`, as `ORDER` reads it."""
    order = Order(
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
        row.triggered_at is not None,
        row.shown_quantity or 0,
        *_conditions(row),
    )
    if row.maker_bps is not None:
        order.fees = fees_of_row(row)
    return order
