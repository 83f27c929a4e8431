"""The book of a stock as everybody sees it, for an order to be tried in.

What icebergs hide and the stops that wait are not in it: a preview costs nothing, and must not tell what the book does
not show. Of one's own orders all is known. A queue is put together from one order of others for each run between one's
own: that is all that self-trade prevention looks at.
"""

from collections.abc import Iterator
from typing import Any, Final, cast

from sqlalchemy import text

from database.statements import Statements
from engine.book import Book
from engine.terms.order_types import LIMIT
from engine.terms.orders import BID, SIDE_NAMES, Order
from engine.terms.rules import NO_LIMIT
from engine.terms.states import OPEN
from services.market_data.book import QUOTED
from services.matching.books import empty_book
from services.stocks.listing import StockRules

MOST: Final = 500
"""Runs that are looked at, nearly always prices: what an order would fill beyond them is not told."""

STOCK = text("SELECT * FROM stocks WHERE id = :stock_id")

QUEUES = text(f"""
    SELECT price, is_own, sum(shown) AS shown, sum(remaining) AS remaining, min(display_quantity) AS display_quantity
    FROM (
        SELECT o.price, o.priority, own.is_own, coalesce(o.shown_quantity, o.remaining_quantity) AS shown,
            o.remaining_quantity AS remaining, o.display_quantity,
            count(*) FILTER (WHERE own.is_own) OVER (PARTITION BY o.price ORDER BY o.priority) AS run
        FROM orders o CROSS JOIN LATERAL (
            VALUES (o.broker_id = :broker_id AND o.document_number = :document_number)
        ) AS own (is_own)
        WHERE o.stock_id = :stock_id AND o.side = :side AND {QUOTED.format("o")}
            AND o.price * CAST(:sign AS bigint) >= :worst
    ) queue
    GROUP BY price, run, is_own ORDER BY price * CAST(:sign AS bigint) DESC, min(priority) LIMIT {MOST}
""")  # noqa: S608 - constants of this file

AHEAD = text(f"""
    SELECT coalesce(sum(coalesce(o.shown_quantity, o.remaining_quantity)), 0) AS shares FROM orders o
    WHERE o.stock_id = :stock_id AND o.side = :side AND o.price = :price AND {QUOTED.format("o")}
        AND o.id <> :order_id AND o.priority < coalesce(:priority, o.priority + 1)
""")  # noqa: S608 - constants of this file


def shown_book(
    session: Statements, stock: StockRules, taker: Order, worst_price: int | None, resting: Order | None = None
) -> Book:
    """The other side of the book, as far as `taker` could trade in it at `worst_price` (cents; None: any) or better.

    And in it `resting`, which is the same order where it is there already; it has another priority then.
    """
    row = session.execute(STOCK, {"stock_id": stock.id}).one()
    book = empty_book(row, stock.reference_price, stock.last_price, stock.state)
    orders = list(_queues(session, stock, taker, worst_price)) if stock.state == OPEN else []
    if resting is not None:
        resting.priority = len(orders) + 1
        orders.append(resting)
    book.restore(orders)
    return book


def _queues(session: Statements, stock: StockRules, taker: Order, worst_price: int | None) -> Iterator[Order]:
    sign = -taker.side
    if worst_price is None:
        worst_price = 0 if sign == BID else NO_LIMIT
    broker_id, document = cast(tuple[int, str], taker.account)
    values = {
        "stock_id": stock.id,
        "side": SIDE_NAMES[sign],
        "sign": sign,
        "worst": worst_price * sign,
        "broker_id": broker_id,
        "document_number": document,
    }
    for number, row in enumerate(session.execute(QUEUES, values), 1):
        yield _run(row, number, sign, taker)


def shares_ahead(session: Statements, stock: StockRules, order: Order, price: int, priority: int | None = None) -> int:
    """Shares that everybody sees before `order` in its queue at `price` (cents): all, or those of a better priority."""
    values = {"stock_id": stock.id, "side": SIDE_NAMES[order.side], "price": price, "order_id": order.id}
    return int(session.scalar(AHEAD, {**values, "priority": priority}))


def _run(row: Any, number: int, side: int, taker: Order) -> Order:
    """One run of a queue; of one's own orders what they hide, too."""
    account, quantity = (taker.account, row.remaining) if row.is_own else (None, row.shown)
    display = row.display_quantity if row.is_own else None
    return Order(
        -number, account, side, LIMIT, row.price, int(quantity), priority=number, shown=int(row.shown),
        display_quantity=display,
    )  # fmt: skip
