"""A broker's hook: where it wants to be told, of what, and the secret with which that is signed.

A hook that is switched off, by hand, by an answer 410 or by being deleted, keeps what waits for it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from services.errors import Conflict
from services.timestamps import timestamp
from services.webhooks.claims import free_waiting
from services.webhooks.signing import new_secret

TRADE_EXECUTED: Final = "trade_executed"
TRADE_BUSTED: Final = "trade_busted"
TRADE_ADJUSTED: Final = "trade_adjusted"
TEST: Final = "test"
EVENTS: Final = (TRADE_EXECUTED, TRADE_BUSTED, TRADE_ADJUSTED)
"""What a hook may be for; all of them by default."""

WELL: Final = "well"
FAILING: Final = "failing"
OFF: Final = "off"

LOCK: Final = text("SELECT url, secret FROM webhooks WHERE broker_id = :broker_id FOR UPDATE")

SET: Final = text("""
    INSERT INTO webhooks AS w (broker_id, url, secret, events, enabled)
    VALUES (:broker_id, :url, :secret, :events, :enabled)
    ON CONFLICT (broker_id) DO UPDATE SET url = excluded.url, secret = coalesce(w.secret, excluded.secret),
        events = excluded.events, enabled = excluded.enabled
    RETURNING secret = :secret AS is_new
""")

BEGIN_ANEW: Final = text("""
    UPDATE webhook_endpoints SET failing_since = NULL, is_probed = false, probe_at = NULL WHERE broker_id = :broker_id
""")
"""Another url, or one that was off, may be well: what is known of it is of before."""

DELETE: Final = text("""
    UPDATE webhooks SET url = NULL, secret = NULL, previous_secret = NULL, previous_until = NULL, enabled = false
    WHERE broker_id = :broker_id AND url IS NOT NULL
    RETURNING broker_id
""")

ROTATE: Final = text("""
    UPDATE webhooks SET secret = :secret, previous_secret = CASE WHEN :until > :now THEN secret END,
        previous_until = CASE WHEN :until > :now THEN CAST(:until AS timestamptz) END
    WHERE broker_id = :broker_id AND url IS NOT NULL
    RETURNING broker_id
""")

READ: Final = text("""
    SELECT w.url, w.events, w.enabled, e.failing_since, e.last_success_at,
        (SELECT count(*) FROM webhook_deliveries d WHERE d.broker_id = w.broker_id AND d.id > coalesce(e.done_id, 0)
            AND d.status = 'pending')
        + (SELECT count(*) FROM webhook_deliveries d WHERE d.broker_id = w.broker_id AND d.status = 'set_aside')
        AS waiting,
        (SELECT CASE WHEN d.tries > 0 THEN d.id END FROM webhook_deliveries d WHERE d.broker_id = w.broker_id
            AND d.id > coalesce(e.done_id, 0) AND d.status = 'pending' AND d.sequence IS NOT NULL
            ORDER BY d.id LIMIT 1) AS blocked_by
    FROM webhooks w LEFT JOIN webhook_endpoints e USING (broker_id) WHERE w.broker_id = :broker_id
""")

NONE: Final[dict[str, Any]] = {
    "url": None,
    "events": [],
    "enabled": False,
    "state": OFF,
    "waiting": 0,
    "blocked_by": None,
    "failing_since": None,
    "last_success_at": None,
}


class NoWebhook(Conflict):
    """There is no hook yet: set its url first."""


def set_webhook(
    session: Statements, broker_id: int, url: str, events: Sequence[str] = EVENTS, *, enabled: bool = True
) -> str | None:
    """Have the broker told at `url` from now on; the new secret, None where there was one already.

    What has been waiting goes there, too, once it is enabled.
    """
    before = session.execute(LOCK, {"broker_id": broker_id}).one_or_none()
    secret = new_secret()
    values = {"broker_id": broker_id, "url": url, "secret": secret, "events": list(events), "enabled": enabled}
    is_new = session.execute(SET, values).one().is_new
    if before is not None:
        session.execute(BEGIN_ANEW, {"broker_id": broker_id})
        free_waiting(session, broker_id)
    return secret if is_new else None


def read_webhook(session: Statements, broker_id: int) -> dict[str, Any]:
    """The hook and how its receiver fares, without the secret.

    `state` is well, failing (not one good answer since `failing_since`) or off; `waiting` how many deliveries are not
    delivered yet; `blocked_by` the id of the failed one that others wait for.
    """
    row = session.execute(READ, {"broker_id": broker_id}).one_or_none()
    if row is None:
        return NONE
    state = OFF if not row.enabled else FAILING if row.failing_since is not None else WELL
    return {
        "url": row.url,
        "events": list(row.events),
        "enabled": row.enabled,
        "state": state,
        "waiting": row.waiting,
        "blocked_by": row.blocked_by,
        "failing_since": timestamp(row.failing_since),
        "last_success_at": timestamp(row.last_success_at),
    }


def rotate_secret(session: Statements, broker_id: int, overlap: timedelta, now: datetime) -> str:
    """A new secret; deliveries are signed with the one before, too, for `overlap` more. Raises NoWebhook."""
    secret = new_secret()
    values = {"broker_id": broker_id, "secret": secret, "until": now + overlap, "now": now}
    if session.execute(ROTATE, values).one_or_none() is None:
        raise NoWebhook
    return secret


def delete_webhook(session: Statements, broker_id: int) -> bool:
    """Forget where the broker is told, and the secret; False where there was no url."""
    return session.execute(DELETE, {"broker_id": broker_id}).one_or_none() is not None
