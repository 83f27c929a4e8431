"""Take no more in than can be matched: beyond a backlog of a few seconds new orders are refused before they reserve."""

import logging
import threading
import time

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from api.runtime.database import Database
from services.errors import MatchQueueTooDeep
from services.operations.health import backlog_by_group
from settings.processes import Match

log = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
"""How old the depth of the inboxes may be that a decision rests on."""


class Backpressure:
    """The depth of each group's inbox, looked up by one thread at a time and now and then."""

    def __init__(self, database: Database, settings: Match) -> None:
        self._database = database
        self._limit = settings.backlog_limit
        self._depths: dict[str, int] = {}
        self._looked_at = float("-inf")
        self._looking = threading.Lock()

    def look(self) -> None:
        """Look up the depths if that is due; a look that failed counts as one.

        Not to be called with a connection in hand: it takes one itself.
        """
        if not self._limit or time.monotonic() - self._looked_at < LOOK_SECONDS:
            return
        if self._looking.acquire(blocking=False):
            try:
                with self._database.looking() as session:
                    self._depths = backlog_by_group(session, self._limit + 1)
            except (DBAPIError, PoolExhausted) as error:
                log.warning("the depth of the inboxes is not known just now: %s", error)
            finally:
                self._looked_at = time.monotonic()
                self._looking.release()

    def refusal(self, group: str) -> MatchQueueTooDeep | None:
        """Why nothing new is taken for `group` just now, or None."""
        depth = self._depths.get(group, 0)
        return MatchQueueTooDeep(waiting=depth) if self._limit and depth > self._limit else None
