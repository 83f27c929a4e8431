"""Store orders of brokers who can pay for all of theirs, nearly always all of them.

What each account is to give is added up beforehand, so that PostgreSQL only takes it, and refuses the whole where one
has not enough, or a client_order_id is known. Then nothing is stored, and the orders go the careful way, one by one in
their turn (`services.order_entry.placing.store`). For two orders this is two thirds of the careful way's work.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Final

from sqlalchemy import TextClause, text
from sqlalchemy.exc import DBAPIError

from database.columns import Column, named_literals, number, unnest_named
from database.errors import broken_constraint, sqlstate
from database.statements import Statement, Statements, execute_together
from models import CASH
from services.order_entry.placing.order_columns import CHARGED, STORED, document_of, requested, storing
from services.order_entry.placing.room import NO_LIMIT, most_open, most_open_of_stock
from services.order_entry.requests import FundedOrder
from settings.sections import Limits

VERSION: Final = NO_LIMIT + 1
"""What an account of cash has more for each version of its broker's fees, and may have more for that of the order."""

MOST: Final = 2**63 - 1
"""Cents or shares that an account can have."""

SHORT: Final = "MX002"
"""The SQLSTATE of what RESERVE refuses by itself (`refuse_orders` of the migrations)."""

CLIENT_ORDER_ID: Final = "uq_orders_broker_id_client_order_id"


@dataclass(slots=True)
class Need:
    """What orders need of an account: cents or shares, and room for more open orders; it may have `most` of them.

    On an account of cash that also says with which version of the broker's fees they were reckoned: since then none can
    have begun, or it has more (VERSION). Versions only rise.
    """

    most: int
    amount: int = 0
    orders: int = 0


NEEDS: Final[tuple[Column, ...]] = (
    number("broker_id", lambda entry: entry[0][0]),
    number("asset_id", lambda entry: entry[0][1]),
    number("amount", lambda entry: entry[1].amount),
    number("orders", lambda entry: entry[1].orders),
    number("most", lambda entry: entry[1].most),
)
"""Items are ((broker id, asset id), Need)."""

RESERVE = text(f"""
    WITH reserved AS (
        UPDATE balances b SET available = b.available - t.amount, reserved = b.reserved + t.amount,
            open_orders = b.open_orders + t.orders
        FROM {unnest_named(NEEDS)}
        WHERE b.broker_id = t.broker_id AND b.asset_id = t.asset_id AND NOT b.blocked
            AND b.available >= t.amount - b.credit_limit
            AND b.fee_version * {VERSION} + b.open_orders + t.orders <= t.most
        RETURNING b.broker_id
    )
    SELECT WHERE CASE WHEN (SELECT count(*) FROM reserved) < cardinality(CAST(:broker_id AS bigint[]))
        THEN refuse_orders('{SHORT}') END
""")  # noqa: S608 - names of this file
"""Locks the balances in the order of the list, as everybody does. Where one has changed meanwhile, PostgreSQL looks at
its newest row before it changes it."""


def _store(stored: Mapping[str, str]) -> TextClause:
    return text(f"""
        WITH {requested(stored)}, fresh AS MATERIALIZED (
            SELECT nextval('orders_id_seq') AS id, request.* FROM request
        ), {storing("fresh", stored)}
        SELECT n, id FROM fresh
    """)  # noqa: S608 - names of ours


STORE, STORE_CHARGED = _store(STORED), _store(CHARGED)


def reserve_and_store_together(
    session: Statements, orders: Sequence[FundedOrder], limits: Limits, opening: Sequence[Statement] = ()
) -> list[int] | None:
    """The ids of the orders, all reserved for and stored; None where that cannot be, and nothing is.

    `opening` is done before, in the same transaction.
    """
    needs = needs_of_accounts(orders, limits)
    if any(need.amount > MOST for _, need in needs):
        return None
    reserve, document = named_literals(NEEDS, needs), {"document": document_of(orders)}
    store = STORE if all(order.order.rates.are_none for order in orders) else STORE_CHARGED
    try:
        *_, rows = execute_together(session, [*opening, (RESERVE, reserve), (store, document)])
    except DBAPIError as error:
        if sqlstate(error) == SHORT or broken_constraint(error) == CLIENT_ORDER_ID:
            return None
        raise
    return [row.id for row in sorted(rows, key=attrgetter("n"))]


def needs_of_accounts(orders: Sequence[FundedOrder], limits: Limits) -> list[tuple[tuple[int, int], Need]]:
    """What they need of each account, in the order in which accounts are locked.

    Every order has a share in two accounts of its broker. One of them pays, and both count it among the open orders:
    that of cash counts all, that of the stock those of the stock.
    """
    of_all, of_guests, of_stock = most_open(limits, False), most_open(limits, True), most_open_of_stock(limits)
    needs: dict[tuple[int, int], Need] = {}
    for funded in orders:
        order = funded.order
        account = (order.broker_id, CASH)
        most = (of_guests if order.is_guest else of_all) + order.rates.version * VERSION
        cash = needs.get(account)
        if cash is None:
            cash = needs[account] = Need(most)
        elif most < cash.most:
            cash.most = most
        account = (order.broker_id, funded.stock.id)
        of_broker = needs.get(account)
        if of_broker is None:
            of_broker = needs[account] = Need(of_stock)
        cash.orders += 1
        of_broker.orders += 1
        if funded.asset_id == CASH:
            cash.amount += funded.amount
        else:
            of_broker.amount += funded.amount
    return sorted(needs.items(), key=itemgetter(0))
