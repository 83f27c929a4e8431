"""Answers of sparklines, kept for some seconds: each is a look at all stocks, and every page that opens asks."""

import time
from typing import Final

import orjson

from api.runtime.database import Database
from services.market_data.candles.intervals import zones_of
from services.market_data.candles.sparklines import read_sparklines
from settings.sections import Settings

BELIEVED_SECONDS: Final = 5.0

MOST: Final = 50
"""Answers that are kept, some MB; beyond that the memory starts anew."""


class KeptSparklines:
    """Of one process."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._zones = zones_of(settings)
        self._kept: dict[tuple[int, int], tuple[float, bytes]] = {}

    def answer(self, seconds: int, points: int) -> bytes:
        """The document (SparklinesSchema) of candles of so many seconds, and so many of them."""
        made_at, body = self._kept.get((seconds, points), (float("-inf"), b""))
        now = time.monotonic()
        if now - made_at < BELIEVED_SECONDS:
            return body
        if body:
            self._kept[seconds, points] = now, body  # what others get meanwhile
        with self._database.reading() as session:
            body = orjson.dumps({"items": read_sparklines(session, seconds, points, self._zones)})
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[seconds, points] = now, body
        return body
