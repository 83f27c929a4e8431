"""What is to be told of the market: each stock's price and candles, whenever they are others than was told last."""

import heapq
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from database.statements import Statements
from queues.names import room
from services.market_data.candle_messages import candle_payload, latest_candles, read_by_keys, removed_payload
from services.market_data.intervals import DAY, NAMES, CandleKey
from services.market_data.price_board import changed_stocks, read_prices
from services.market_data.report import keep_up_with_stocks, report

PRICES_ROOM: Final = "prices"

LATE: Final = timedelta(milliseconds=500)
"""How long after its end a candle is told to be closed: a trade is settled a little later than it was."""

RECENT: Final = timedelta(hours=1)
"""Of a tape that is caught up with, only candles that ended within this time are told, and those that are corrected."""

LONGEST: Final = {seconds: timedelta(seconds=seconds + 3_600 * (seconds == DAY)) for seconds in NAMES}
"""How long candles may be, a day of 25 hours included."""

LOOK_BACK_SECONDS: Final = 5
"""Turns are looked for that began so long ago, and now and then all: one may take until it is given up."""

MOST_UNTOLD: Final = 50_000
"""Messages that are remembered while nobody can be told; then all that is the latest is told anew."""

Message = dict[str, Any]
"""{room, event, payload}."""


class MarketNews:
    """What one reporter knows and has told. Whoever begins anew tells the latest of everything."""

    def __init__(self, zones: Mapping[str, Any]) -> None:
        """`zones`: as `intervals.zones_of` tells them."""
        self._zones = zones
        self._symbols: dict[int, str] = {}
        self._versions: dict[int, int] = {}
        self._sequences: dict[int, int] = {}
        self._averages: dict[int, Any] = {}
        self._prices: dict[int, dict[str, Any]] = {}
        self._open: set[CandleKey] = set()
        """Candles that were told before their end."""
        self._ends: list[tuple[datetime, CandleKey]] = []
        """A heap of them, by when their end is to be told."""
        self._untold: dict[Any, Message] = {}
        self._knows_all = False
        self.is_behind = False
        """Whether a tape had more than one step takes."""

    def gather(self, session: Statements, now: datetime, *, thoroughly: bool) -> None:
        """Take one step, to be committed as a whole; `thoroughly` also looks where nothing seems to have happened.

        If it is not committed, or raises, `forget` must be called.
        """
        thoroughly |= not self._knows_all
        if thoroughly:
            keep_up_with_stocks(session, self._zones)
        changed = self._changed(session, thoroughly=thoroughly)
        if changed or thoroughly or self.is_behind:
            everywhere = thoroughly or self.is_behind
            done = report(session, None if everywhere else [self._symbols[found] for found in changed])
            self.is_behind = done.is_behind
            recent = {key for key in done.changed if key.start > now - RECENT - LONGEST[key.seconds]}
            self._sequences |= done.sequences
            self._note_candles(session, recent | done.corrected, now)
            self._note_prices(session, changed | set(done.symbols), set(done.symbols))
        self._note_candles(session, self._ended(now), now)
        if not self._knows_all:
            self._note_rows(latest_candles(session), now)
            self._knows_all = True

    def seconds_to_next(self, now: datetime, most: float) -> float:
        """How long there is nothing to be told, if nothing happens; at most so long."""
        if not self._ends:
            return most
        return min(most, max(0.0, (self._ends[0][0] - now).total_seconds()))

    def forget(self) -> None:
        """Begin anew: what was gathered last may not have been stored, or nobody knows what has been told."""
        self.__init__(self._zones)  # type: ignore[misc] # to be again as it was made

    def untold(self) -> list[Message]:
        """What is to be told, oldest first."""
        if len(self._untold) > MOST_UNTOLD:
            self.forget()
        return list(self._untold.values())

    def told(self) -> None:
        """All of that has been told."""
        self._untold.clear()

    def _changed(self, session: Statements, *, thoroughly: bool) -> set[int]:
        changed = set()
        for row in changed_stocks(session, None if thoroughly else LOOK_BACK_SECONDS):
            if self._versions.get(row.id) != row.book_version:
                self._versions[row.id], self._symbols[row.id] = row.book_version, row.symbol
                changed.add(row.id)
        return changed

    def _note_prices(self, session: Statements, ids: set[int], traded: set[int]) -> None:
        if not ids:
            return
        traded |= ids - self._averages.keys()
        for stock_id, price in read_prices(session, ids, traded):
            if "average_price" in price:
                self._averages[stock_id] = price["average_price"]
            payload = {**price, "average_price": self._averages[stock_id]}
            known = {name: value for name, value in payload.items() if name != "at"}
            if known != self._prices.get(stock_id):
                self._prices[stock_id] = known
                self._say(("PRICE", stock_id), PRICES_ROOM, "PRICE", payload)

    def _note_candles(self, session: Statements, keys: set[CandleKey], now: datetime) -> None:
        if not keys:
            return
        rows = read_by_keys(session, keys)
        self._note_rows(rows, now)
        for key in keys - {_key_of(row) for row in rows}:
            symbol = self._symbols[key.stock_id]
            self._say(
                ("CANDLE", *key),
                _room_of(symbol, key),
                "CANDLE",
                removed_payload(key, symbol, self._sequences[key.stock_id]),
            )

    def _note_rows(self, rows: Iterable[Any], now: datetime) -> None:
        for row in rows:
            key, symbol, told_closed_at = _key_of(row), self._symbols[row.stock_id], row.ends_at + LATE
            closed = told_closed_at <= now
            if not closed and key not in self._open:
                self._open.add(key)
                heapq.heappush(self._ends, (told_closed_at, key))
            payload = candle_payload(row, symbol, closed=closed)
            self._say(("CANDLE", *key), _room_of(symbol, key), "CANDLE", payload)

    def _ended(self, now: datetime) -> set[CandleKey]:
        """The candles that are over since this was asked last, and were told as running ones."""
        ended = set()
        while self._ends and self._ends[0][0] <= now:
            ended.add(heapq.heappop(self._ends)[1])
        self._open -= ended
        return ended

    def _say(self, key: Any, where: str, event: str, payload: dict[str, Any]) -> None:
        self._untold.pop(key, None)
        self._untold[key] = {"room": where, "event": event, "payload": payload}


def _room_of(symbol: str, key: CandleKey) -> str:
    return room("candles", f"{symbol}:{NAMES[key.seconds]}")


def _key_of(row: Any) -> CandleKey:
    return CandleKey(row.stock_id, row.seconds, row.start)
