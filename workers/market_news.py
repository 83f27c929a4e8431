"""What is to be told of the market: each stock's price and candles, whenever they are others than was told last."""

import heapq
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from database.statements import Statements
from queues.names import room
from services.market_data.candles.candle_messages import candle_payload, latest_candles, read_by_keys, removed_payload
from services.market_data.candles.intervals import DAY, NAMES, CandleKey
from services.market_data.candles.report import keep_up_with_stocks, report
from services.market_data.price_board import changed_stocks, read_prices

PRICES_ROOM: Final = "prices"

LATE: Final = timedelta(milliseconds=500)
"""How long after its end a candle is told to be closed: a trade is settled a little later than it was."""

RECENT: Final = timedelta(hours=1)
"""Of a tape that is caught up with, only candles that ended within this time are told, and those that are corrected."""

LONGEST: Final = {seconds: timedelta(seconds=seconds + 3_600 * (seconds == DAY)) for seconds in NAMES}
"""How long candles may be, a day of 25 hours included."""

LOOK_BACK_SECONDS: Final = 60
"""Turns are looked for that began so long ago: none takes longer until it is committed or given up."""

MOST_UNTOLD: Final = 50_000
"""Messages that are remembered while nobody can be told; then all that is the latest is told anew."""

Message = dict[str, Any]
"""{room, event, payload}."""


class MarketNews:
    """What one reporter knows and has told. Whoever begins anew tells the latest of everything."""

    def __init__(self, zones: Mapping[str, Any]) -> None:
        """`zones`: as `intervals.zones_of` tells them."""
        self._zones = zones
        self.forget()

    def forget(self) -> None:
        """Begin anew: what was gathered last may not have been stored, or nobody knows what has been told."""
        self._symbols: dict[int, str] = {}
        self._ids: dict[str, int] = {}
        self._versions: dict[int, int] = {}
        self._sequences: dict[int, int] = {}
        self._averages: dict[int, Any] = {}
        self._prices: dict[int, dict[str, Any]] = {}
        self._open: dict[CandleKey, dict[str, Any]] = {}
        """Candles that were told before their end, as they were told last."""
        self._ends: list[tuple[datetime, CandleKey]] = []
        """A heap of them, by when their end is to be told."""
        self._untold: dict[Any, Message] = {}
        self._knows_all = False
        self.is_behind = False
        """Whether a tape had more than one step takes."""

    def gather(self, session: Statements, now: datetime, symbols: Iterable[str] = (), *, thoroughly: bool) -> None:
        """Take one step, to be committed as a whole: in stocks of which something is known to have happened.

        `thoroughly` also looks where nothing seems to have happened. If it is not committed, or raises, `forget` must
        be called.
        """
        thoroughly |= not self._knows_all
        if thoroughly:
            keep_up_with_stocks(session, self._zones)
            changed = self._changed(session)
        else:
            changed = {self._ids[symbol] for symbol in symbols if symbol in self._ids}
        if changed or thoroughly or self.is_behind:
            everywhere = thoroughly or self.is_behind
            done = report(session, None if everywhere else [self._symbols[found] for found in changed])
            self.is_behind = done.is_behind
            self._sequences |= done.sequences
            self._note_rows([row for row in done.changed if row.start > now - RECENT - LONGEST[row.seconds]], now)
            self._note_corrected(session, done.corrected, now)
            self._note_prices(session, changed | set(done.symbols), set(done.symbols))
        self._note_ended(now)
        if not self._knows_all:
            self._note_rows(latest_candles(session), now)
            self._knows_all = True

    def seconds_to_next(self, now: datetime, most: float) -> float:
        """How long there is nothing to be told, if nothing happens; at most so long."""
        if not self._ends:
            return most
        return min(most, max(0.0, (self._ends[0][0] - now).total_seconds()))

    def untold(self) -> list[Message]:
        """What is to be told, oldest first."""
        if len(self._untold) > MOST_UNTOLD:
            self.forget()
        return list(self._untold.values())

    def told(self) -> None:
        """All of that has been told."""
        self._untold.clear()

    def _changed(self, session: Statements) -> set[int]:
        """Stocks that had a turn which has not been looked at."""
        changed = set()
        for row in changed_stocks(session, LOOK_BACK_SECONDS if self._knows_all else None):
            if self._versions.get(row.id) != row.book_version:
                self._symbols[row.id], self._ids[row.symbol] = row.symbol, row.id
                changed.add(row.id)
        return changed

    def _note_prices(self, session: Statements, ids: set[int], traded: set[int]) -> None:
        if not ids:
            return
        traded |= ids - self._averages.keys()
        for stock_id, version, price in read_prices(session, ids, traded):
            self._versions[stock_id] = version
            if "average_price" in price:
                self._averages[stock_id] = price["average_price"]
            payload = {**price, "average_price": self._averages[stock_id]}
            known = {name: value for name, value in payload.items() if name != "at"}
            if known != self._prices.get(stock_id):
                self._prices[stock_id] = known
                self._say(("PRICE", stock_id), PRICES_ROOM, "PRICE", payload)

    def _note_corrected(self, session: Statements, keys: set[CandleKey], now: datetime) -> None:
        if not keys:
            return
        rows = read_by_keys(session, keys)
        self._note_rows(rows, now)
        for key in keys - {_key_of(row) for row in rows}:
            self._open.pop(key, None)
            self._say_candle(key, removed_payload(key, self._symbols[key.stock_id], self._sequences[key.stock_id]))

    def _note_rows(self, rows: Iterable[Any], now: datetime) -> None:
        for row in rows:
            key, symbol, told_closed_at = _key_of(row), self._symbols[row.stock_id], row.ends_at + LATE
            closed = told_closed_at <= now
            payload = candle_payload(row, symbol, closed=closed)
            if closed:
                self._open.pop(key, None)
            else:
                if key not in self._open:
                    heapq.heappush(self._ends, (told_closed_at, key))
                self._open[key] = payload
            self._say_candle(key, payload)

    def _note_ended(self, now: datetime) -> None:
        """The candles that are over since this was asked last, and were told as running ones."""
        while self._ends and self._ends[0][0] <= now:
            _, key = heapq.heappop(self._ends)
            payload = self._open.pop(key, None)
            if payload is not None:
                sequence = self._sequences.get(key.stock_id, payload["sequence"])
                self._say_candle(key, {**payload, "sequence": sequence, "closed": True})

    def _say_candle(self, key: CandleKey, payload: dict[str, Any]) -> None:
        self._say(("CANDLE", *key), _room_of(payload["symbol"], key), "CANDLE", payload)

    def _say(self, key: Any, where: str, event: str, payload: dict[str, Any]) -> None:
        self._untold.pop(key, None)
        self._untold[key] = {"room": where, "event": event, "payload": payload}


def _room_of(symbol: str, key: CandleKey) -> str:
    return room("candles", f"{symbol}:{NAMES[key.seconds]}")


def _key_of(row: Any) -> CandleKey:
    return CandleKey(row.stock_id, row.seconds, row.start)
