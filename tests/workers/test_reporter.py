"""The reporter keeps the figures and tells the news: each once, in the end, whatever stops in between."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from sqlalchemy import text

import workers.reporter
from database.session import transaction
from queues.bus import Bus
from queues.connection import connect as connect_redis
from queues.listening import Doorbell, next_message
from queues.names import EVENTS_CHANNEL, REPORTS_CHANNEL
from services.history.keeping import keep_books
from services.market_data.candles.intervals import zones_of
from services.verify import verify
from tests.workers.conftest import SmallExchange
from workers.database import connect_reporter
from workers.market_news import LATE, MarketNews
from workers.reporter import Reporter


class Newspaper:
    """A reporter, and what it has told."""

    def __init__(self, exchange: SmallExchange, **changes: int) -> None:
        settings = replace(exchange.settings, reporter=replace(exchange.settings.reporter, **changes))
        bell = Doorbell(connect_redis(settings.redis), EVENTS_CHANNEL)
        self.reporter = Reporter(
            connect_reporter(settings), Bus(connect_redis(settings.redis), REPORTS_CHANNEL), bell, settings
        )
        self._channel = exchange.redis.pubsub(ignore_subscribe_messages=True)
        self._channel.subscribe(REPORTS_CHANNEL)
        next_message(self._channel, 1)

    def step(self) -> bool:
        self.reporter._looked_at = float("-inf")  # as if a second had gone by
        return self.reporter.run_once()

    def told(self, event: str | None = None, symbol: str | None = None) -> list[dict[str, Any]]:
        """The messages since this was asked last."""
        messages = []
        while (body := next_message(self._channel, 0.05)) is not None:
            messages += orjson.loads(body)["messages"]
        return [
            message for message in messages
            if event in (None, message["event"]) and symbol in (None, message["payload"]["symbol"])
        ]  # fmt: skip


@pytest.fixture
def newspaper(exchange: SmallExchange) -> Iterator[Callable[..., Newspaper]]:
    made = []

    def make(**changes: int) -> Newspaper:
        made.append(Newspaper(exchange, **changes))
        return made[-1]

    yield make
    for each in made:
        each.reporter.release()


def trade(exchange: SmallExchange, symbol: str, quantity: int, price: int) -> None:
    exchange.place(symbol, "ask", price, quantity, broker=exchange.broker_id)
    exchange.place(symbol, "bid", price, quantity, broker=exchange.other)
    exchange.matcher().run_once([symbol])


@pytest.fixture
def stock(exchange: SmallExchange, request: pytest.FixtureRequest) -> str:
    exchange.other = exchange.broker()
    return exchange.list(f"N{abs(hash(request.node.name)) % 10**6}", "N")


def test_a_price_is_told_when_it_is_another_one(exchange: SmallExchange, newspaper: Any, stock: str) -> None:
    paper = newspaper()
    assert paper.step()
    paper.told()
    trade(exchange, stock, 10, 1_000)
    exchange.place(stock, "bid", 990, 5)
    exchange.matcher().run_once([stock])
    paper.step()
    (told,) = paper.told("PRICE", stock)
    assert told["room"] == "prices"
    at = told["payload"].pop("at")
    assert datetime.fromisoformat(at) <= datetime.now(UTC)
    assert told["payload"] == {
        "symbol": stock, "last_price": 1_000, "average_price": 1_000, "bid": 990, "ask": None, "change": None,
        "change_bps": None, "sequence": 1,
    } | {"change": told["payload"]["change"], "change_bps": told["payload"]["change_bps"]}  # fmt: skip
    paper.step()
    assert paper.told("PRICE") == []
    exchange.place(stock, "ask", 1_010, 5)
    exchange.matcher().run_once([stock])
    paper.step()
    (told,) = paper.told("PRICE", stock)
    assert (told["payload"]["ask"], told["payload"]["average_price"]) == (1_010, 1_000)


def test_where_it_rang_is_looked_at_at_once(exchange: SmallExchange, newspaper: Any, stock: str) -> None:
    paper = newspaper()
    paper.step()
    paper.told()
    paper.reporter.bell.wait(0)  # from now on it hears
    trade(exchange, stock, 10, 1_000)
    paper.reporter._looked_at = float("inf")  # it looks nowhere else
    assert paper.reporter.run_once()
    assert paper.told("PRICE", stock) == []
    assert Bus(connect_redis(exchange.settings.redis)).announce([], changed=[stock])
    paper.reporter.wait(time.monotonic())
    assert paper.reporter.run_once()
    assert paper.told("PRICE", stock)
    assert paper.told("PRICE", stock) == []


def test_a_long_step_is_followed_by_a_longer_rest(newspaper: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    clock = SimpleNamespace(monotonic=lambda: 100.0, sleep=slept.append)
    reporter = newspaper(interval_ms=100).reporter
    reporter.bell = SimpleNamespace(wait=lambda seconds: [])
    monkeypatch.setattr(workers.reporter, "time", clock)
    for began in (100.0, 99.99, 99.8, 90.0):
        reporter.wait(began)
    monkeypatch.undo()
    assert slept == pytest.approx([0.1, 0.09, 0.8, 1.0])


def test_candles_are_told_as_they_change(exchange: SmallExchange, newspaper: Any, stock: str) -> None:
    paper = newspaper()
    paper.step()
    paper.told()
    trade(exchange, stock, 10, 1_000)
    trade(exchange, stock, 20, 1_030)
    paper.step()
    told = paper.told("CANDLE", stock)
    assert [message["room"] for message in told] != []
    (day,) = [message["payload"] for message in told if message["room"] == f"candles:{stock}:1d"]
    assert {name: day[name] for name in ("interval", "open", "high", "low", "close", "volume", "vwap", "closed")} == {
        "interval": "1d", "open": 1_000, "high": 1_030, "low": 1_000, "close": 1_030, "volume": 30, "vwap": 1_020,
        "closed": False,
    }  # fmt: skip
    paper.step()
    assert [message for message in paper.told("CANDLE", stock) if message["payload"]["interval"] == "1d"] == []


def test_a_candle_is_told_to_be_closed_without_another_trade(exchange: SmallExchange, stock: str) -> None:
    news = MarketNews(zones_of(exchange.settings))
    trade(exchange, stock, 10, 1_000)
    now = datetime.now(UTC)
    gathered(exchange, news, now)
    assert {key for key, closed in candles_told(news, stock).items() if closed} <= {"1s"}
    over = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    gathered(exchange, news, over + LATE - timedelta(milliseconds=1))
    assert "1m" not in candles_told(news, stock)
    gathered(exchange, news, over + LATE)
    assert candles_told(news, stock)["1m"] is True
    gathered(exchange, news, over + timedelta(seconds=30))
    assert candles_told(news, stock).get("1m") is None


def gathered(exchange: SmallExchange, news: MarketNews, now: datetime) -> None:
    with transaction(exchange.engine) as session:
        news.gather(session, now, thoroughly=True)


def candles_told(news: MarketNews, symbol: str) -> dict[str, bool]:
    """Of the stock's candles that are to be told, whether they are closed, by interval."""
    payloads = [message["payload"] for message in news.untold() if message["event"] == "CANDLE"]
    news.told()
    return {one["interval"]: one["closed"] for one in payloads if one["symbol"] == symbol}


def test_whoever_comes_after_tells_the_latest_of_everything(
    exchange: SmallExchange, newspaper: Any, stock: str
) -> None:
    paper = newspaper()
    trade(exchange, stock, 10, 1_000)
    paper.step()
    before = {(message["room"], message["event"]): message["payload"] for message in paper.told(None, stock)}
    paper.reporter.release()
    trade(exchange, stock, 10, 1_100)
    other = newspaper()
    other.step()
    after = {(message["room"], message["event"]): message["payload"] for message in other.told(None, stock)}
    assert after.keys() == before.keys()
    assert after["prices", "PRICE"]["last_price"] == 1_100
    assert after[f"candles:{stock}:1d", "CANDLE"]["volume"] == 20


def test_a_second_reporter_stands_by(exchange: SmallExchange, newspaper: Any, stock: str) -> None:
    first, second = newspaper(), newspaper()
    assert first.step()
    assert not second.step()
    first.reporter.release()
    assert second.step()
    assert not first.reporter._has_lease(float("inf"))
    trade(exchange, stock, 10, 1_000)
    assert second.step()
    assert second.told("PRICE", stock)


def test_what_redis_did_not_take_is_told_later_and_once(exchange: SmallExchange, newspaper: Any, stock: str) -> None:
    paper = newspaper()
    paper.step()
    paper.told()
    announce = paper.reporter.bus.announce
    paper.reporter.bus.announce = lambda messages: False
    for price in (1_000, 1_010, 1_020):
        trade(exchange, stock, 10, price)
        paper.step()
    assert paper.told(None, stock) == []
    paper.reporter.bus.announce = announce
    paper.step()
    told = paper.told(None, stock)
    (price,) = [message["payload"] for message in told if message["event"] == "PRICE"]
    assert (price["last_price"], price["average_price"], price["sequence"]) == (1_020, 1_010, 3)
    (day,) = [message["payload"] for message in told if message["room"] == f"candles:{stock}:1d"]
    assert (day["volume"], day["high"]) == (30, 1_020)


def test_a_bust_is_one_corrected_candle_of_each_interval(exchange: SmallExchange, newspaper: Any, stock: str) -> None:
    paper = newspaper()
    trade(exchange, stock, 10, 1_000)
    trade(exchange, stock, 10, 1_050)
    paper.step()
    paper.told()
    bust(exchange, stock, 2)
    paper.step()
    told = paper.told("CANDLE", stock)
    assert len({(message["room"], message["payload"]["start"]) for message in told}) == len(told)
    (day,) = [message["payload"] for message in told if message["room"] == f"candles:{stock}:1d"]
    assert (day["high"], day["volume"], day["trade_count"]) == (1_000, 10, 1)
    bust(exchange, stock, 1)
    paper.step()
    removed = [message["payload"] for message in paper.told("CANDLE", stock)]
    assert {one["interval"] for one in removed} == {"1s", "1m", "5m", "15m", "1h", "1d"}
    assert all(one["removed"] and one["trade_count"] == 0 for one in removed)
    with transaction(exchange.engine) as session:
        (figures,) = [check for check in verify(session).checks if check.number == 8]
    assert figures.findings == []


def bust(exchange: SmallExchange, symbol: str, sequence: int) -> None:
    """As clearing will."""
    with exchange.engine.begin() as connection:
        connection.exec_driver_sql(
            """
            WITH stock AS (
                UPDATE stocks SET event_sequence = event_sequence + 1, book_version = book_version + 1,
                    sequenced_at = clock_timestamp()
                WHERE symbol = %(symbol)s RETURNING id, event_sequence
            ), busted AS (
                UPDATE trades t SET busted_at = now() FROM stock
                WHERE t.stock_id = stock.id AND t.sequence = %(sequence)s RETURNING t.id
            )
            INSERT INTO events (stock_id, sequence, kind, payload)
            SELECT stock.id, event_sequence, 'TRADE_BUSTED', json_build_object('trade_id', busted.id)
            FROM stock CROSS JOIN busted
            """,
            {"symbol": symbol, "sequence": sequence},
        )


AGED = """
    UPDATE candles c SET start = start - interval '3 days'
    FROM stocks s WHERE c.stock_id = s.id AND s.symbol = %(stock)s
"""
ANEW = """
    WITH gone AS (DELETE FROM reported_stocks r USING stocks s WHERE r.stock_id = s.id AND s.symbol = %(stock)s)
    DELETE FROM candles c USING stocks s WHERE c.stock_id = s.id AND s.symbol = %(stock)s
"""


def test_only_candles_of_a_second_are_forgotten(exchange: SmallExchange, newspaper: Any, stock: str) -> None:
    trade(exchange, stock, 10, 1_000)
    paper = newspaper(seconds_kept_days=1)
    paper.step()
    with exchange.engine.begin() as connection:
        connection.exec_driver_sql(AGED, {"stock": stock})
    paper.reporter._forgot_at = float("-inf")
    paper.step()
    kept = exchange.rows(
        "SELECT seconds FROM candles c JOIN stocks s ON s.id = c.stock_id WHERE symbol = :s ORDER BY 1", s=stock
    )
    assert kept == [(60,), (300,), (900,), (3_600,), (86_400,)]
    with exchange.engine.begin() as connection:
        connection.exec_driver_sql(ANEW, {"stock": stock})


def test_books_are_kept_now_and_then(
    exchange: SmallExchange, newspaper: Any, stock: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers.reporter, "keep_books", partial(keep_books, every=2, most=1_000))
    kept = text("""
        SELECT b.command_sequence FROM book_checkpoints b JOIN stocks s ON s.id = b.stock_id WHERE s.symbol = :symbol
    """)
    paper = newspaper()
    paper.step()
    trade(exchange, stock, 10, 1_000)
    paper.step()
    exchange.place(stock, "bid", 990, 5)
    exchange.matcher().run_once([stock])
    paper.step()
    with transaction(exchange.engine) as session:
        assert session.scalars(kept, {"symbol": stock}).all() == [2]
