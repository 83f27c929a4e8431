"""Reserve for orders and store them in their turn: what is paid for and finds room, whatever comes of the others."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, text

from database.statements import Statement, Statements, execute_together
from services.order_entry.placing.order_columns import document_of, requested, storing
from services.order_entry.placing.room import most_open, most_open_of_stock
from services.order_entry.requests import FundedOrder
from services.order_entry.reserve import ACCEPTED, LOCKED, PAID
from settings.sections import Limits


class Refusal(StrEnum):
    """Why an order was not stored."""

    BLOCKED = "blocked"
    CLOSE_ONLY = "close_only"
    UNPAID = "unpaid"
    OPEN_ORDERS = "open_orders"
    OPEN_ORDERS_PER_STOCK = "open_orders_per_stock"


NEEDED = f"""{requested()}, known AS (
        SELECT w.n, o.id, o.status, o.fingerprint
        FROM request w JOIN orders o ON o.broker_id = w.broker_id AND o.client_order_id = w.client_order_id
    ), fresh AS (
        SELECT w.*, nextval('orders_id_seq') AS id FROM request w WHERE w.n NOT IN (SELECT n FROM known)
    ), share AS (
        SELECT f.n, f.broker_id, a.asset_id, 1 AS orders,
            CASE a.asset_id WHEN f.asset_id THEN f.amount ELSE 0 END AS amount
        FROM fresh f CROSS JOIN LATERAL (VALUES (CAST(1 AS bigint)), (f.stock_id)) AS a (asset_id)
    )"""  # noqa: S608 - names of this file
"""Every order has a share in two balances of its broker. One of them pays, and both count it among the open orders:
that of cash counts all, that of the stock those of the stock."""

STORED = f"""{storing("accepted")}
    SELECT n, id, 'pending' AS status, fingerprint, false AS known FROM accepted
    UNION ALL SELECT n, id, status, fingerprint, true FROM known"""  # noqa: S608 - names of this file

PLACE_IN_TURN = text(f"""
    WITH {NEEDED}, {LOCKED}, {PAID}, roomy AS MATERIALIZED (
        SELECT n, broker_id FROM (
            SELECT p.n, p.broker_id, :per_stock - l.open_orders AS room,
                row_number() OVER (PARTITION BY p.broker_id, p.stock_id ORDER BY p.n) AS place
            FROM paid p JOIN locked l ON l.broker_id = p.broker_id AND l.asset_id = p.stock_id
        ) AS of_stock
        WHERE place <= room
    ), granted AS MATERIALIZED (
        SELECT n FROM (
            SELECT r.n,
                CASE WHEN k.is_guest THEN CAST(:of_guest AS bigint) ELSE :open_orders END - l.open_orders AS room,
                row_number() OVER (PARTITION BY r.broker_id ORDER BY r.n) AS place
            FROM roomy r JOIN locked l ON l.broker_id = r.broker_id AND l.asset_id = 1
            JOIN brokers k ON k.id = r.broker_id
        ) AS of_broker
        WHERE place <= room
    ), {ACCEPTED}, {STORED}
    UNION ALL
    SELECT n, NULL, CASE WHEN n IN (SELECT n FROM roomy) THEN '{Refusal.OPEN_ORDERS}'
        WHEN n IN (SELECT n FROM paid) THEN '{Refusal.OPEN_ORDERS_PER_STOCK}'
        WHEN broker_id IN (SELECT broker_id FROM locked WHERE blocked) THEN '{Refusal.BLOCKED}'
        ELSE '{Refusal.UNPAID}' END, NULL, false
    FROM fresh WHERE n NOT IN (SELECT n FROM accepted)
""")  # noqa: S608 - all parts are ours
"""For brokers that are short of funds or room: what is paid for is stored in order of arrival as far as there is room,
first in the stock, then with the broker. Balances that an order has a share in must be open."""


def reserve_and_store_in_turn(
    session: Statements, orders: Sequence[FundedOrder], limits: Limits, opening: Sequence[Statement] = ()
) -> Sequence[Row[Any]]:
    """Reserve for the orders in their order, and store those that are paid for and that there is room for.

    A row {n, id, status, fingerprint, known} for each, `n` being its place counted from 1. `known` is one that its
    client_order_id had brought before; of one that was refused there is no id, and its `status` is a Refusal. No
    client_order_id may come twice. `opening` is done before, in the same transaction.
    """
    values = {"document": document_of(orders), **most_of(limits)}
    *_, rows = execute_together(session, [*opening, (PLACE_IN_TURN, values)])
    return list(rows)


def most_of(limits: Limits) -> dict[str, int]:
    """How many open orders a broker may have, as PLACE_IN_TURN takes it."""
    return {
        "open_orders": most_open(limits, False),
        "of_guest": most_open(limits, True),
        "per_stock": most_open_of_stock(limits),
    }
