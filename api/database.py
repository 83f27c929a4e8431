"""The API's way to PostgreSQL: quick reads, and writes whose lost commit is told as such."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from api.problems import OutcomeUnknown
from config import Settings
from models.session import connect, transaction
from models.trouble import UncertainCommit


class Database:
    """The connections of one web process.

    No statement takes longer than `statement_timeout_ms`, and no transaction of a process that hangs keeps its locks
    for longer than that.
    """

    def __init__(self, settings: Settings) -> None:
        limit = settings.database.statement_timeout_ms
        self.engine = connect(
            settings.database.url,
            pool_size=settings.database.pool_size,
            application="minex-web",
            statement_timeout=limit,
            idle_in_transaction_session_timeout=limit,
        )
        self._reader = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reading: each statement sees one moment, and costs one round trip instead of three."""
        with Session(self._reader, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction, committed at the end of the block.

        Whatever is raised before the commit means that nothing was done. An error of the commit itself may hide that
        it was done: raises OutcomeUnknown.
        """
        committing = False
        try:
            with transaction(self.engine) as session:
                yield session
                session.flush()
                committing = True
        except UncertainCommit as error:
            raise OutcomeUnknown from error
        except DBAPIError as error:
            if committing and not isinstance(error, IntegrityError):
                raise OutcomeUnknown from error
            raise

    def close(self) -> None:
        """Close the connections that are not in use."""
        self.engine.dispose()
