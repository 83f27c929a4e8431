"""One stock whose trades a story makes, ages and busts, and its reporter."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from database.session import transaction
from services.market_data.candles.flat_candles import read_filled_candles
from services.market_data.candles.intervals import INTERVALS, zones_of
from services.market_data.candles.read_candles import Span, read_candles
from services.market_data.candles.report import Reported, keep_up_with_stocks, report
from services.market_data.tickers import read_tickers
from services.verify import verify
from settings.sections import Settings, TradingSchedule
from tests.services.floor import Floor


class Market:
    def __init__(self, floor: Floor, zone: str = "America/Sao_Paulo") -> None:
        self.floor = floor
        self.zone = zone
        self.is_reported = False
        self.clock = datetime.now(UTC) - timedelta(days=60)
        self.symbol = floor.stock(band_bps=0)
        self.seller, self.buyer = floor.broker(**{self.symbol: 1_000_000}), floor.broker()

    @property
    def id(self) -> int:
        return self.floor.symbols[self.symbol]

    @property
    def zones(self) -> dict[str, Any]:
        return zones_of(replace(Settings(), session=TradingSchedule(timezone=self.zone)))

    def trade(self, quantity: int, price: int) -> int:
        """One trade; its id."""
        self.floor.ask(self.seller, self.symbol, quantity, price)
        self.floor.bid(self.buyer, self.symbol, quantity, price)
        self.floor.match(self.symbol)
        statement = "SELECT max(id) AS id FROM trades WHERE stock_id = :id"
        return int(self.floor.query(statement, id=self.id)[0].id)

    def trades(self, count: int) -> None:
        for number in range(count):
            self.trade(1 + number % 7, 3_500 + number % 11)

    def later_trade(self, quantity: int, price: int, seconds: int) -> int:
        """One that is so much later than the one before, on a clock that began long ago; its id."""
        trade_id = self.trade(quantity, price)
        self.clock += timedelta(seconds=seconds, microseconds=1)
        self.floor.run("UPDATE trades SET executed_at = :when WHERE id = :id", id=trade_id, when=self.clock)
        return trade_id

    def at(self, *moments: str) -> None:
        """The trades were at these moments, in their order."""
        rows = self.floor.query("SELECT id FROM trades WHERE stock_id = :id ORDER BY sequence", id=self.id)
        for row, moment in zip(rows, moments, strict=True):
            when = datetime.fromisoformat(moment)
            self.floor.run("UPDATE trades SET executed_at = :when WHERE id = :id", id=row.id, when=when)

    def bust(self, trade_id: int) -> None:
        """As clearing will: the trade is marked, its tape says so, and the last price is that of one that stands."""
        self.floor.run(
            """
            WITH stock AS (
                UPDATE stocks SET event_sequence = event_sequence + 1, last_price = (
                    SELECT price FROM trades WHERE stock_id = :stock AND busted_at IS NULL AND id <> :id
                    ORDER BY sequence DESC LIMIT 1
                ) WHERE id = :stock RETURNING event_sequence
            ), busted AS (
                UPDATE trades SET busted_at = now() WHERE id = :id
            )
            INSERT INTO events (stock_id, sequence, kind, payload)
            SELECT :stock, event_sequence, 'TRADE_BUSTED', CAST(:payload AS json) FROM stock
            """,
            id=trade_id, stock=self.id, payload=orjson.dumps({"trade_id": trade_id}).decode(),
        )  # fmt: skip

    def report(self, most: int = 20_000) -> Reported:
        with transaction(self.floor.engine) as session:
            keep_up_with_stocks(session, self.zones)
            return report(session, most=most)

    def candles(self, interval: str, *, fill: bool = False, limit: int = 500, **bounds: str) -> list[dict[str, Any]]:
        since, until = (datetime.fromisoformat(bounds[name]) if name in bounds else None for name in ("since", "until"))
        span = Span(INTERVALS[interval], since, until, self.zones)
        with transaction(self.floor.engine) as session:
            return (read_filled_candles if fill else read_candles)(session, self.symbol, span, limit)

    def ticker(self) -> dict[str, Any]:
        with transaction(self.floor.engine) as session:
            (found,) = read_tickers(session, [self.symbol])
        return found

    def figures(self) -> dict[str, Any]:
        """All that is shown of what was traded: candles without what time alone changes, then day and session."""
        listed = {name: self.candles(name) for name in INTERVALS}
        for candle in itertools.chain(*listed.values()):
            del candle["closed"]
        ticker = self.ticker()
        return listed | {name: ticker[name] for name in ("last_price", "day", "session")}

    def findings(self) -> list[str]:
        """What is not as the trades say."""
        with transaction(self.floor.engine) as session:
            report = verify(session)
        return [str(finding) for check in report.checks if check.number == 8 for finding in check.findings]
