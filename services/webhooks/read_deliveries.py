"""What a broker's receiver was told, and having it told again."""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from services.errors import Unknown
from services.timestamps import timestamp
from services.webhooks.bodies import bodies_of
from services.webhooks.subscriptions import TEST, NoWebhook

PAUSED: Final = "paused"
"""What is shown of one that waits while its hook is off."""

STATUSES: Final = ("pending", "delivered", "set_aside", "failed", PAUSED)

WAITS: Final = ("pending", "set_aside")

READ: Final = """
    SELECT d.id, d.broker_id, d.sequence, d.event, d.account_sequence, d.attempts, d.next_attempt_at, d.created_at,
        CASE WHEN d.status IN ('pending', 'set_aside') AND NOT coalesce(w.enabled, false) AND d.sequence IS NOT NULL
            THEN 'paused' ELSE d.status END AS status
    FROM webhook_deliveries d LEFT JOIN webhooks w USING (broker_id)
    WHERE d.broker_id = :broker_id AND {}
"""
NEWEST: Final = text(f"""
    SELECT * FROM ({READ.format("d.id < :before")}) AS d
    WHERE CAST(:status AS text) IS NULL OR status = :status ORDER BY id DESC LIMIT :limit
""")  # noqa: S608 - names of this file
ONE: Final = text(READ.format("d.id = :delivery_id"))

AGAIN: Final = text("""
    UPDATE webhook_deliveries SET next_attempt_at = clock_timestamp(),
        status = CASE WHEN status = 'pending' THEN status ELSE 'set_aside' END
    WHERE id = :delivery_id AND broker_id = :broker_id AND sequence IS NOT NULL
    RETURNING id
""")

ADD_TEST: Final = text("""
    INSERT INTO webhook_deliveries (broker_id, event)
    SELECT broker_id, :event FROM webhooks WHERE broker_id = :broker_id AND url IS NOT NULL
    RETURNING id
""")


class UnknownDelivery(Unknown):
    """There is no such delivery of yours."""


def read_deliveries(
    session: Statements, broker_id: int, before: int, limit: int, status: str | None = None
) -> Iterator[dict[str, Any]]:
    """At most `limit` of the broker's deliveries with an id below `before`, newest first, with what they say."""
    values = {"broker_id": broker_id, "before": before, "limit": limit, "status": status}
    rows = list(session.execute(NEWEST, values))
    bodies = bodies_of(session, broker_id, rows)
    return (_document(row, bodies[row.id]) for row in rows)


def read_delivery(session: Statements, broker_id: int, delivery_id: int) -> dict[str, Any]:
    """One of them. Raises UnknownDelivery."""
    row = session.execute(ONE, {"broker_id": broker_id, "delivery_id": delivery_id}).one_or_none()
    if row is None:
        raise UnknownDelivery
    return _document(row, bodies_of(session, broker_id, [row])[row.id])


def retry(session: Statements, broker_id: int, delivery_id: int) -> dict[str, Any]:
    """Have it sent as soon as can be, alone where its time in the order is over; also one that was delivered.

    Raises UnknownDelivery, also for a test.
    """
    if session.execute(AGAIN, {"broker_id": broker_id, "delivery_id": delivery_id}).one_or_none() is None:
        raise UnknownDelivery
    return read_delivery(session, broker_id, delivery_id)


def add_test(session: Statements, broker_id: int) -> int:
    """A test is sent once, and counts for nothing; its delivery's id. Raises NoWebhook."""
    row = session.execute(ADD_TEST, {"broker_id": broker_id, "event": TEST}).one_or_none()
    if row is None:
        raise NoWebhook
    return int(row.id)


def _document(row: Any, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "delivery_id": row.id,
        "event": row.event,
        "sequence": row.sequence,
        "status": row.status,
        "attempts": row.attempts,
        "next_attempt_at": timestamp(row.next_attempt_at) if row.status in WAITS else None,
        "created_at": timestamp(row.created_at),
        "payload": body,
    }
