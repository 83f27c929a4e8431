"""Reading what the reporter keeps, also in the moment in which a busted trade is still in it."""

import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from api.components import components
from api.http.problems import Busy
from database.statements import Statements
from services.market_data.candles import NeedsReport
from services.market_data.report import report
from serving.present import pause

Found = TypeVar("Found")

TRIES: Final = 40
PAUSE_SECONDS: Final = 0.05
"""The reporter may be at it just now; it takes milliseconds."""


def reading(read: Callable[[Statements], Found]) -> Found:
    """What `read` finds. Whatever was busted is taken out of it first, if the reporter has not come to it yet."""
    for _ in range(TRIES):
        try:
            with components().database.reading() as session:
                return read(session)
        except NeedsReport as stale:
            symbols: Any = stale.args
        with components().database.writing() as session:
            report(session, symbols)
        pause()
        time.sleep(PAUSE_SECONDS)
    raise Busy
