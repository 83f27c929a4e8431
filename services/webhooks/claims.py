"""Who sends to whom: one sender at a time speaks with a receiver, so that what it is told is in order."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from database.statements import Statements

CLAIM_SECONDS: Final = 10
"""After so long without a sign of its sender a receiver may be another one's."""

PROBE_SECONDS: Final = 60
"""A receiver that fails everything is tried at least so often."""

CLAIM: Final = text("""
    INSERT INTO webhook_endpoints AS e (broker_id, claimed_by, claimed_until)
    SELECT w.broker_id, :sender, clock_timestamp() + :seconds * interval '1 second'
    FROM webhooks w WHERE w.broker_id = :broker_id
    ON CONFLICT (broker_id) DO UPDATE SET claimed_by = excluded.claimed_by, claimed_until = excluded.claimed_until
    WHERE e.claimed_until IS NULL OR e.claimed_until < clock_timestamp() OR e.claimed_by = excluded.claimed_by
    RETURNING e.failing_since, e.is_probed, e.probe_at, e.done_id
""")

HOOK: Final = text("""
    SELECT url, secret, CASE WHEN previous_until > clock_timestamp() THEN previous_secret END AS previous_secret,
        enabled, clock_timestamp() AS now
    FROM webhooks WHERE broker_id = :broker_id
""")

RENEW: Final = text("""
    UPDATE webhook_endpoints SET claimed_until = clock_timestamp() + :seconds * interval '1 second'
    WHERE broker_id = ANY(:broker_ids) AND claimed_by = :sender
""")

RELEASE: Final = text("""
    UPDATE webhook_endpoints SET claimed_by = NULL, claimed_until = NULL
    WHERE broker_id = ANY(:broker_ids) AND claimed_by = :sender
""")

FREE: Final = (
    text("""
        UPDATE webhook_deliveries SET freed_at = clock_timestamp()
        WHERE broker_id = :broker_id AND status = 'set_aside' AND next_attempt_at > clock_timestamp()
            AND freed_at IS NULL
    """),
    text("""
        UPDATE webhook_deliveries SET next_attempt_at = clock_timestamp()
        WHERE broker_id = :broker_id AND next_attempt_at > clock_timestamp() AND id = (
            SELECT d.id FROM webhook_endpoints e JOIN webhook_deliveries d USING (broker_id)
            WHERE e.broker_id = :broker_id AND d.id > e.done_id AND d.status = 'pending' AND d.sequence IS NOT NULL
            ORDER BY d.id LIMIT 1
        )
    """),
)
"""All that are set aside, and the first of those in order: no other has a time. What is set aside keeps the time of its
schedule, for what fails before that does not count.
"""

WAITING: Final = text("""
    SELECT w.broker_id FROM webhooks w LEFT JOIN webhook_endpoints e USING (broker_id)
    WHERE w.url IS NOT NULL AND (e.claimed_until IS NULL OR e.claimed_until < clock_timestamp())
        AND (
            (w.enabled AND EXISTS (
                SELECT FROM webhook_deliveries d WHERE d.broker_id = w.broker_id AND d.id > coalesce(e.done_id, 0)
                    AND d.status = 'pending' AND d.sequence IS NOT NULL
            ))
            OR (w.enabled AND EXISTS (
                SELECT FROM webhook_deliveries d WHERE d.broker_id = w.broker_id AND d.status = 'set_aside'
                    AND (least(d.next_attempt_at, d.freed_at) <= clock_timestamp() OR e.probe_at <= clock_timestamp())
            ))
            OR EXISTS (
                SELECT FROM webhook_deliveries d
                WHERE d.broker_id = w.broker_id AND d.status = 'pending' AND d.sequence IS NULL
            )
        )
""")


WELL: Final = text("""
    SELECT broker_id FROM webhook_endpoints WHERE last_success_at IS NOT NULL AND failing_since IS NULL
""")


@dataclass(slots=True)
class Hook:
    """A hook and its receiver, as whoever has claimed it finds them, and finds them to be."""

    broker_id: int
    url: str
    secrets: list[str]
    """The present one first."""
    enabled: bool
    failing_since: datetime | None
    is_probed: bool
    probe_at: datetime | None
    done_id: int
    """Nothing up to it waits to be sent in order."""
    now: datetime
    """When it was claimed, by the database's clock."""
    last_success_at: datetime | None = None
    """The latest good answer of this time."""
    has_recovered: bool = False
    """Whether it was failing when it was claimed, and is not any more."""
    is_gone: bool = False
    """Whether it has said that it wants no more."""

    def note_success(self, at: datetime) -> None:
        """A good answer frees all that waits."""
        self.has_recovered |= self.failing_since is not None
        self.last_success_at, self.failing_since, self.is_probed, self.probe_at = at, None, False, None

    def note_failure(self, at: datetime) -> None:
        """What was to go in order did not, or what was to show whether the receiver is well."""
        self.failing_since = self.failing_since or at
        self.probe_at = at + timedelta(seconds=PROBE_SECONDS)


def claim(session: Statements, broker_id: int, sender: str) -> Hook | None:
    """Have the broker's receiver for CLAIM_SECONDS; None where another sender has it, or there is none."""
    values = {"broker_id": broker_id, "sender": sender, "seconds": CLAIM_SECONDS}
    endpoint = session.execute(CLAIM, values).one_or_none()
    if endpoint is None:
        return None
    row = session.execute(HOOK, {"broker_id": broker_id}).one()
    if row.url is None:
        release(session, [broker_id], sender)
        return None
    secrets = [row.secret] if row.previous_secret is None else [row.secret, row.previous_secret]
    return Hook(
        broker_id=broker_id,
        url=row.url,
        secrets=secrets,
        enabled=row.enabled,
        failing_since=endpoint.failing_since,
        is_probed=endpoint.is_probed,
        probe_at=endpoint.probe_at,
        done_id=endpoint.done_id,
        now=row.now,
    )


def renew(session: Statements, broker_ids: Collection[int], sender: str) -> None:
    """Have them for CLAIM_SECONDS more."""
    session.execute(RENEW, {"broker_ids": list(broker_ids), "sender": sender, "seconds": CLAIM_SECONDS})


def release(session: Statements, broker_ids: Collection[int], sender: str) -> None:
    """Let others have them at once."""
    session.execute(RELEASE, {"broker_ids": list(broker_ids), "sender": sender})


def free_waiting(session: Statements, broker_id: int) -> None:
    """Whatever waits for its time is due now, as it stands here: what failed later is written down behind it."""
    for statement in FREE:
        session.execute(statement, {"broker_id": broker_id})


def well_brokers(session: Statements) -> list[int]:
    """Brokers whose receivers have answered, and do."""
    return [row.broker_id for row in session.execute(WELL)]


def waiting_brokers(session: Statements) -> list[int]:
    """Brokers for whose receivers something waits, and whom no sender has claimed."""
    return [row.broker_id for row in session.execute(WAITING)]
