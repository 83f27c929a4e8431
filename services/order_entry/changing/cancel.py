"""Ask for cancels. Whether one comes before a fill is decided by the inbox, once."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import text

from database.statements import Statements
from services.errors import MarketError, NotYourOrder, UnknownOrder
from services.order_entry.requests import QueuedCommand


@dataclass(frozen=True, slots=True)
class Cancel:
    """A broker's request to cancel one of its orders."""

    broker_id: int
    order_id: int
    reply_to: str | None = None


CANCEL = text("""
    WITH request AS (
        SELECT * FROM ROWS FROM (json_to_recordset(CAST(:document AS json)) AS (
            broker_id bigint, order_id bigint, reply_to text
        )) WITH ORDINALITY AS w (broker_id, order_id, reply_to, n)
    ), standing AS MATERIALIZED (
        SELECT w.n, w.reply_to, o.id, o.broker_id, o.stock_id, s.symbol, s.group_name,
            CASE WHEN o.broker_id = w.broker_id AND o.closed_at IS NULL THEN nextval('commands_id_seq') END
                AS command_id
        FROM request w JOIN orders o ON o.id = w.order_id JOIN stocks s ON s.id = o.stock_id
        ORDER BY w.n
    ), inbox AS (
        INSERT INTO commands (id, stock_id, kind, order_id, broker_id, payload, reply_to)
        SELECT command_id, stock_id, 'cancel', id, broker_id, '{}', reply_to
        FROM standing WHERE command_id IS NOT NULL
    )
    SELECT n, id, broker_id, stock_id, symbol, group_name, command_id FROM standing
""")


def cancel_orders(session: Statements, requests: Sequence[Cancel]) -> list[QueuedCommand | MarketError]:
    """Put a cancel into the inbox for each order that is not yet closed; one answer each, in the same order.

    A refusal is returned, not raised: UnknownOrder, NotYourOrder.
    """
    document = orjson.dumps(
        [
            {"broker_id": request.broker_id, "order_id": request.order_id, "reply_to": request.reply_to}
            for request in requests
        ]
    ).decode()
    rows = {row.n: row for row in session.execute(CANCEL, {"document": document})}
    answers: list[QueuedCommand | MarketError] = []
    for n, request in enumerate(requests, 1):
        row = rows.get(n)
        if row is None:
            answers.append(UnknownOrder(f"There is no order {request.order_id}."))
        elif row.broker_id != request.broker_id:
            answers.append(NotYourOrder())
        else:
            answers.append(QueuedCommand(row.id, row.stock_id, row.symbol, row.group_name, row.command_id))
    return answers
