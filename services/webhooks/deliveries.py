"""The deliveries of one broker: which are to be sent now, what came of them, and which come next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import text

from database.columns import named_literals, number, quoted, unnest_named, word
from database.statements import Statements
from services.webhooks.claims import Hook, free_waiting

PENDING: Final = "pending"
DELIVERED: Final = "delivered"
SET_ASIDE: Final = "set_aside"
FAILED: Final = "failed"

MOST_TOGETHER: Final = 100
"""Deliveries that are read, and what came of them written, at once."""

MOST_ATTEMPTS: Final = 50
"""Attempts of a delivery that are kept; the oldest go."""

COLUMNS: Final = "id, sequence, event, account_sequence, tries, status, next_attempt_at, created_at"

TESTS: Final = text(f"""
    SELECT {COLUMNS} FROM webhook_deliveries
    WHERE broker_id = :broker_id AND status = 'pending' AND sequence IS NULL ORDER BY id LIMIT :limit
""")  # noqa: S608 - names of this file

IN_ORDER: Final = text(f"""
    SELECT {COLUMNS} FROM webhook_deliveries
    WHERE broker_id = :broker_id AND id > :done_id AND status = 'pending' AND sequence IS NOT NULL
    ORDER BY id LIMIT :limit
""")  # noqa: S608

ASIDE: Final = text(f"""
    SELECT {COLUMNS} FROM webhook_deliveries
    WHERE broker_id = :broker_id AND status = 'set_aside' AND least(next_attempt_at, freed_at) <= :now
    ORDER BY sequence LIMIT :limit
""")  # noqa: S608

FIRST_ASIDE: Final = text(f"""
    SELECT {COLUMNS} FROM webhook_deliveries
    WHERE broker_id = :broker_id AND status = 'set_aside' ORDER BY next_attempt_at LIMIT 1
""")  # noqa: S608

RESULTS: Final = (
    number("id", lambda result: result.delivery.id),
    word("status", lambda result: result.status),
    number("tries", lambda result: result.tries),
    quoted("attempt", lambda result: orjson.dumps(result.attempt).decode(), "jsonb"),
    word("next_at", lambda result: result.next_at and result.next_at.isoformat(), "timestamptz"),
    word("freed_at", lambda result: result.freed_at and result.freed_at.isoformat(), "timestamptz"),
)

RECORD: Final = text(f"""
    UPDATE webhook_deliveries d SET status = t.status, tries = t.tries, next_attempt_at = t.next_at,
        freed_at = t.freed_at, attempts = CASE WHEN jsonb_array_length(d.attempts) < {MOST_ATTEMPTS} THEN d.attempts
            ELSE d.attempts - 0 END || t.attempt
    FROM {unnest_named(RESULTS)} WHERE d.broker_id = :broker_id AND d.id = t.id
""")  # noqa: S608

NOTE: Final = text("""
    UPDATE webhook_endpoints e SET claimed_by = NULL, claimed_until = NULL,
        last_success_at = coalesce(:last_success_at, e.last_success_at),
        failing_since = CASE WHEN w.url = :url THEN CAST(:failing_since AS timestamptz) ELSE e.failing_since END,
        is_probed = CASE WHEN w.url = :url THEN :is_probed ELSE e.is_probed END,
        probe_at = CASE WHEN w.url = :url THEN CAST(:probe_at AS timestamptz) ELSE e.probe_at END,
        done_id = greatest(e.done_id, coalesce(
            (SELECT id - 1 FROM webhook_deliveries d WHERE d.broker_id = :broker_id AND d.id > e.done_id
                AND d.status = 'pending' AND d.sequence IS NOT NULL ORDER BY d.id LIMIT 1),
            (SELECT id FROM webhook_deliveries d WHERE d.broker_id = :broker_id AND d.sequence IS NOT NULL
                ORDER BY d.id DESC LIMIT 1)
        ))
    FROM webhooks w WHERE e.broker_id = :broker_id AND e.claimed_by = :sender AND w.broker_id = e.broker_id
""")
"""What was found out about a url says nothing of the next one. Whoever makes a delivery that goes in order locks the
broker's counter before it has an id: so none appears later with a lower one.
"""

SWITCH_OFF: Final = text("UPDATE webhooks SET enabled = false WHERE broker_id = :broker_id AND url = :url")

NEXT: Final = text("""
    SELECT w.enabled, clock_timestamp() AS now,
        (SELECT coalesce(next_attempt_at, created_at) FROM webhook_deliveries d WHERE d.broker_id = w.broker_id
            AND d.id > e.done_id AND d.status = 'pending' AND d.sequence IS NOT NULL ORDER BY d.id LIMIT 1) AS in_order,
        (SELECT min(least(next_attempt_at, freed_at)) FROM webhook_deliveries d WHERE d.broker_id = w.broker_id
            AND d.status = 'set_aside') AS aside,
        (SELECT min(created_at) FROM webhook_deliveries d WHERE d.broker_id = w.broker_id
            AND d.status = 'pending' AND d.sequence IS NULL) AS test
    FROM webhooks w JOIN webhook_endpoints e USING (broker_id) WHERE w.broker_id = :broker_id
""")

FORGET: Final = text("""
    DELETE FROM webhook_deliveries d USING webhooks w
    WHERE d.broker_id = w.broker_id AND d.created_at < clock_timestamp() - :days * interval '1 day'
        AND d.id = ANY (ARRAY(
            SELECT o.id FROM webhook_deliveries o WHERE o.broker_id = w.broker_id ORDER BY o.id LIMIT :limit
        ))
""")


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a delivery: its row before, the attempt, its new status and failures, and when it comes again.

    `freed_at`: when its receiver answered well after it, so that it is due before its time.
    """

    delivery: Any
    attempt: Mapping[str, Any]
    """{at, status_code, error, milliseconds}."""
    status: str
    tries: int
    next_at: datetime | None = None
    freed_at: datetime | None = None


@dataclass(slots=True)
class Waiting:
    """What a receiver is to be sent: tests, then what goes in order, then what goes alone."""

    tests: Sequence[Any] = ()
    in_order: Sequence[Any] = ()
    aside: Sequence[Any] = ()
    probe: Any = None
    """Sent before its time, to see whether the receiver is well."""

    @property
    def all(self) -> list[Any]:
        """All of them."""
        return [*self.tests, *self.in_order, *self.aside, *([] if self.probe is None else [self.probe])]


def waiting_deliveries(session: Statements, hook: Hook) -> Waiting:
    """What is due now. A receiver that is failing gets what it has failed before anything else that is in order."""
    values = {"broker_id": hook.broker_id, "limit": MOST_TOGETHER, "now": hook.now, "done_id": hook.done_id}
    waiting = Waiting(tests=list(session.execute(TESTS, values)))
    if not hook.enabled:
        return waiting
    is_failing = hook.failing_since is not None
    in_order = list(session.execute(IN_ORDER, values))
    if not is_failing or not in_order or (in_order[0].next_attempt_at or hook.now) <= hook.now:
        waiting.in_order = in_order
    waiting.aside = list(session.execute(ASIDE, values))
    if not in_order and not waiting.aside and hook.probe_at is not None and hook.probe_at <= hook.now:
        waiting.probe = session.execute(FIRST_ASIDE, values).one_or_none()
    return waiting


def record(session: Statements, hook: Hook, sender: str, results: Sequence[Result]) -> None:
    """Write down what came of them, and what was found out about the receiver; others may have it then."""
    if hook.has_recovered:
        free_waiting(session, hook.broker_id)
    if results:
        session.execute(RECORD, {"broker_id": hook.broker_id, **named_literals(RESULTS, results)})
    if hook.is_gone:
        session.execute(SWITCH_OFF, {"broker_id": hook.broker_id, "url": hook.url})
    values = {
        "broker_id": hook.broker_id,
        "url": hook.url,
        "sender": sender,
        "failing_since": hook.failing_since,
        "is_probed": hook.is_probed,
        "probe_at": hook.probe_at,
        "last_success_at": hook.last_success_at,
    }
    session.execute(NOTE, values)


def due_in(session: Statements, hook: Hook) -> timedelta | None:
    """How long until the receiver is to be sent something; None for nothing."""
    row = session.execute(NEXT, {"broker_id": hook.broker_id}).one()
    probe = hook.probe_at if row.in_order is None and row.aside is not None else None
    moments = [row.in_order, row.aside, probe] if row.enabled else []
    due = min((moment for moment in (*moments, row.test) if moment is not None), default=None)
    return None if due is None else max(due - row.now, timedelta(0))


def forget_old(session: Statements, days: int) -> int:
    """Remove deliveries that are older than so many days, a thousand of each broker at most; how many these were."""
    return session.execute(FORGET, {"days": days, "limit": 1_000}).rowcount  # type: ignore[no-any-return]
