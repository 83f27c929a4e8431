"""Reading what the reporter keeps, also in the moment in which a busted trade is still in it."""

import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from api.components import components
from api.http.problems import Busy
from database.statements import Statements
from services.market_data.candles.read_candles import NeedsReport
from services.market_data.candles.report import report
from serving.present import pause

Found = TypeVar("Found")

TRIES: Final = 40
PAUSE_SECONDS: Final = 0.05
LEFT_TO_THE_REPORTER: Final = 10
"""So many times it is waited for whose task it is, and who tells the streams of it; it takes milliseconds."""


def reading(read: Callable[[Statements], Found]) -> Found:
    """What `read` finds. Whatever was busted is taken out of it first, if there is no reporter that does it."""
    for number in range(TRIES):
        try:
            with components().database.reading() as session:
                return read(session)
        except NeedsReport as stale:
            symbols: Any = stale.args
        if number >= LEFT_TO_THE_REPORTER:
            with components().database.writing() as session:
                report(session, symbols)
        pause()
        time.sleep(PAUSE_SECONDS)
    raise Busy
