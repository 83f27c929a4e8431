"""Which brokers have a hook for trades, as a worker remembers it: looked up again whenever any hook has changed."""

from typing import Final

from sqlalchemy import text

from database.statements import Statements

HOOKED: Final = text("""
    SELECT c.version, coalesce(
        (SELECT array_agg(broker_id) FROM webhooks w WHERE w.enabled AND 'trade_executed' = ANY (w.events)), '{}'
    ) AS brokers
    FROM webhook_changes c
""")


class HookedBrokers:
    """Those of one worker. `webhook_changes` has a version that is raised within whatever changes a hook."""

    def __init__(self) -> None:
        self._version: int | None = None
        self._brokers: frozenset[int] = frozenset()

    def current(self, session: Statements, version: int) -> frozenset[int]:
        """The brokers as of this version, or later."""
        if version != self._version:
            row = session.execute(HOOKED).one()
            self._version, self._brokers = row.version, frozenset(row.brokers)
        return self._brokers

    def forget(self) -> None:
        """Look again: the database may be another now."""
        self._version = None
