"""How a Socket.IO process reads PostgreSQL: a statement at a time, and no answer is waited for without end."""

from sqlalchemy import Engine

from database.autocommit import committing
from database.green import green
from serving.present import pause
from settings.sections import Settings

ANSWER_SECONDS = 1.0
"""How much longer than `statement_timeout_ms` an answer may take: PostgreSQL itself would have said so by then."""


def open_reader(settings: Settings, *, connections: int) -> Engine:
    """At most so many connections, for `database.autocommit.autocommitting`."""
    limit = settings.database.statement_timeout_ms
    engine = committing(
        settings.database.reader,
        pool_size=connections,
        application="minex-live",
        statement_timeout=limit,
        idle_in_transaction_session_timeout=limit,
    )
    return green(engine, limit / 1000 + ANSWER_SECONDS, pause)
