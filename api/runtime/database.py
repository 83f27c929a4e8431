"""The API's way to PostgreSQL: quick reads, and writes whose lost commit is told as such."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from api.http.problems import OutcomeUnknown
from database.autocommit import AutocommitSession, autocommitting, committing
from database.errors import UncertainCommit
from database.green import green
from database.session import PLANS, connect, transaction
from settings.sections import Settings

Done = TypeVar("Done")

DEADLOCK = "40P01"


class Database:
    """The connections of one web process.

    No statement takes longer than `statement_timeout_ms`, and no transaction of a process that hangs keeps its locks
    for longer than that.
    """

    def __init__(self, settings: Settings) -> None:
        most, limit = settings.database.pool_size, settings.database.statement_timeout_ms
        limits = {"statement_timeout": limit, "idle_in_transaction_session_timeout": limit}
        url = settings.database.url
        self._reader = green(committing(connect(url, pool_size=most, application="minex-web", **limits)))
        self.intake = green(committing(connect(url, pool_size=most, application="minex-intake", **limits, **PLANS)))
        self.writer = green(connect(url, pool_size=most, application="minex-writer", **limits, **PLANS))

    def reading(self) -> AbstractContextManager[AutocommitSession]:
        """For reading: each statement sees one moment, and costs one round trip instead of three."""
        return autocommitting(self._reader)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction, committed at the end of the block.

        Whatever is raised before the commit means that nothing was done. An error of the commit itself may hide that
        it was done: raises OutcomeUnknown.
        """
        committing = False
        try:
            with transaction(self.writer) as session:
                yield session
                session.flush()
                committing = True
        except UncertainCommit as error:
            raise OutcomeUnknown from error
        except DBAPIError as error:
            if committing and not isinstance(error, IntegrityError):
                raise OutcomeUnknown from error
            raise

    @contextmanager
    def autocommitting(self) -> Iterator[AutocommitSession]:
        """For statements that are transactions of their own: committed when they answer, in one round trip.

        No lock waits for us to say COMMIT. A connection that is lost meanwhile hides whether it was done: raises
        OutcomeUnknown. Any other error means that the statement did nothing.
        """
        try:
            with autocommitting(self.intake) as session:
                yield session
                session.refuse_uncertain()
        except UncertainCommit as error:
            raise OutcomeUnknown from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise OutcomeUnknown from error
            raise

    def run(self, work: Callable[[Session], Done]) -> Done:
        """What `work` gives, done in a transaction as by `writing`; a second time where that helps."""
        return _tried_again(self.writing, work)

    def run_autocommitted(self, work: Callable[[AutocommitSession], Done]) -> Done:
        """What `work` gives, done as by `autocommitting`; a second time where that helps."""
        return _tried_again(self.autocommitting, work)

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._reader.dispose()
        self.intake.dispose()
        self.writer.dispose()


def _tried_again(opened: Callable[[], AbstractContextManager[Any]], work: Callable[[Any], Done]) -> Done:
    """The same client_order_id stored at the same moment is known the second time; a deadlock is gone.

    So is a connection that was lost before the commit.
    """
    try:
        with opened() as session:
            return work(session)
    except (IntegrityError, OperationalError) as error:
        if not (
            isinstance(error, IntegrityError)
            or error.connection_invalidated
            or getattr(error.orig, "sqlstate", None) == DEADLOCK
        ):
            raise
    with opened() as session:
        return work(session)
