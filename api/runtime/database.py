"""The API's way to PostgreSQL: quick reads, and writes whose lost commit is told as such."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from enum import Enum, auto
from functools import partial
from typing import Any, TypeVar

from gevent import monkey
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from api.http.problems import OutcomeUnknown
from api.runtime.in_turn import InTurn, Opened
from database.autocommit import autocommitting, committing
from database.errors import UncertainCommit, has_stale_plan, sqlstate
from database.green import green
from database.session import PLANS, POOL_SECONDS, connect, transaction, trial
from database.shared import SharedLink, alone
from database.statements import AutocommitSession
from database.timed import Unanswered
from serving.places import Places
from serving.present import pause
from settings.sections import Settings

Done = TypeVar("Done")

DEADLOCK = "40P01"

READERS_OF_ONE = 8
"""One client reads on an eighth of the connections for it at most: each read takes a processor while it lasts."""

FEW_READERS, FEW_OF_ONE = 128, 16
"""Requests that read a few rows at the same time, over the connection that they share, and those of one client."""

ANSWER_SECONDS = 1.0
"""How much longer than `statement_timeout_ms` an answer may take: PostgreSQL itself would have said so by then."""


class Lane(Enum):
    """What single statements store. They wait for locks and for each other, not for those of another lane."""

    ORDERS = auto()
    CANCELS = auto()


class Database:
    """The connections of one web process.

    No statement takes longer than `statement_timeout_ms`, and no transaction of a process that hangs keeps its locks
    for longer than that. A server process that does not even say so is given up ANSWER_SECONDS later.
    """

    def __init__(self, settings: Settings) -> None:
        most, limit = settings.database.pool_size, settings.database.statement_timeout_ms
        limits = {"statement_timeout": limit, "idle_in_transaction_session_timeout": limit}
        url = settings.database.url
        self._readers = Places(most, POOL_SECONDS, max(1, most // READERS_OF_ONE))
        self._readers_of_few = Places(FEW_READERS, POOL_SECONDS, FEW_OF_ONE)
        self._reader = committing(url, pool_size=most, application="minex-web", **limits)
        self._few = committing(url, pool_size=most, application="minex-web", **limits, **PLANS)
        self.intake = committing(url, pool_size=most, application="minex-intake", **limits, **PLANS)
        self.writer = connect(url, pool_size=most, application="minex-writer", prepares=True, **limits, **PLANS)
        seconds = limit / 1000 + ANSWER_SECONDS
        green(self._reader, seconds, pause)  # others wait for whoever stores something, not for whoever reads
        green(self._few, seconds, pause)
        green(self.intake, seconds)
        green(self.writer, seconds)
        self._links: list[SharedLink] = []
        self._reading_few = self._shared(self._few, seconds, pause, only_reads=True)
        self._looking = self._shared(self.intake, seconds, only_reads=True)
        self.storing = {lane: self._shared(self.intake, seconds) for lane in Lane}

    def reading(self) -> AbstractContextManager[AutocommitSession]:
        """For reading: each statement sees one moment, and costs one round trip instead of three.

        Raises PoolExhausted where all connections are taken for too long; those who wait for one go in turn by payer.
        """
        return InTurn(self._readers, partial(autocommitting, self._reader))

    def reading_few(self) -> AbstractContextManager[AutocommitSession]:
        """The same for statements that find a few rows by their keys: they share a connection, at much less cost.

        Whoever reads waits for whom came before, so a payer has but a few of them under way.
        """
        return InTurn(self._readers_of_few, self._reading_few)

    def looking(self) -> AbstractContextManager[AutocommitSession]:
        """For what has to be known first, such as whose key it is: nobody who only reads is before it in line."""
        return self._looking()

    def _shared(
        self, engine: Engine, seconds: float, answered: Callable[[], None] = lambda: None, *, only_reads: bool = False
    ) -> Opened:
        """Over a connection that all share; threads, which cannot share one, get connections of the pool."""
        if not monkey.is_module_patched("select"):
            return partial(autocommitting, engine)
        link = SharedLink(partial(alone, engine), seconds, answered, only_reads=only_reads)
        self._links.append(link)
        return link.session

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

    def trying(self) -> AbstractContextManager[Session]:
        """A transaction that is rolled back at the end of the block, whatever was done in it."""
        return trial(self.writer)

    @contextmanager
    def autocommitting(self, lane: Lane) -> Iterator[AutocommitSession]:
        """For statements that are transactions of their own: committed when they answer, in one round trip.

        Those of one lane follow each other.

        No lock waits for us to say COMMIT. A connection that is lost meanwhile hides whether it was done: raises
        OutcomeUnknown. Any other error means that the statement did nothing.
        """
        try:
            with self.storing[lane]() as session:
                yield session
                session.refuse_uncertain()
        except UncertainCommit as error:
            raise OutcomeUnknown from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise OutcomeUnknown from error
            raise

    def run(self, work: Callable[[Session], Done]) -> Done:
        """Do `work` in a transaction as by `writing`, a second time where that helps, and give its result."""
        return _tried_again(self.writing, work)

    def run_autocommitted(self, lane: Lane, work: Callable[[AutocommitSession], Done]) -> Done:
        """Do `work` as by `autocommitting`, a second time where that helps, and give its result."""
        return _tried_again(partial(self.autocommitting, lane), work)

    def close(self) -> None:
        """Close the connections that are not in use."""
        for link in self._links:
            link.close()
        self._reader.dispose()
        self._few.dispose()
        self.intake.dispose()
        self.writer.dispose()


def _tried_again(opened: Callable[[], AbstractContextManager[Any]], work: Callable[[Any], Done]) -> Done:
    """The same client_order_id stored at the same moment is known the second time; a deadlock is gone.

    So is a connection that was lost before the commit, or remembered statements of before a migration.
    """
    try:
        with opened() as session:
            return work(session)
    except DBAPIError as error:
        if not _helps_to_try_again(error):
            raise
    with opened() as session:
        return work(session)


def _helps_to_try_again(error: DBAPIError) -> bool:
    """True if the same may succeed at once; False after a wait in vain, of which the client had better hear."""
    if isinstance(error.orig, Unanswered):
        return False
    lost = isinstance(error, OperationalError) and error.connection_invalidated
    return lost or isinstance(error, IntegrityError) or sqlstate(error) == DEADLOCK or has_stale_plan(error.orig)
