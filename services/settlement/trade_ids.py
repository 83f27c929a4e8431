"""Ids for trades to come, taken from their sequence beforehand.

A trade's id stands in its transfers and on the tapes. Known before the trade is stored, it lets everything that a turn
stores leave in one way to PostgreSQL. Ids that are never used are gaps.
"""

from collections import deque
from collections.abc import Iterable
from typing import Any, Final

from database.pipeline import Pipeline, pipeline
from database.transaction import Transaction

NEXT_IDS: Final = "SELECT nextval('trades_id_seq') AS id FROM generate_series(1, $1::bigint)"

FEW: Final = 128
MORE: Final = 256
"""When ids are asked for, and how many."""


class TradeIds:
    """Those of one worker."""

    def __init__(self) -> None:
        self._free: deque[int] = deque()

    def ask(self, sent: Pipeline) -> Iterable[Any]:
        """Ask for more, if there are few; the rows to `add` when they are here."""
        return sent.send(NEXT_IDS, str(MORE)) if len(self._free) < FEW else ()

    def add(self, rows: Iterable[Any]) -> None:
        """Keep the ids that were asked for."""
        self._free.extend([row.id for row in rows])

    def take(self, session: Transaction, count: int) -> list[int]:
        """So many ids, rising; asks for what is missing, which few turns have to."""
        if (missing := count - len(self._free)) > 0:
            with pipeline(session) as sent:
                more = sent.send(NEXT_IDS, str(missing))
            self.add(more)
        return [self._free.popleft() for _ in range(count)]

    def forget(self) -> None:
        """Use none of them: the database may be another now."""
        self._free.clear()
