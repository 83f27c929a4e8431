"""Server-sent events: how a stream begins, goes on and ends, and who hears what."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from sqlalchemy import text

from tests.flows.exchange import Broker, RunningExchange, until
from tests.flows.streams.event_stream import EventStream

numbers = itertools.count(1)


@pytest.fixture
def stock(exchange: RunningExchange) -> str:
    symbol = f"FLOW{next(numbers)}"
    exchange.list(symbol)
    return symbol


@pytest.fixture
def stream(exchange: RunningExchange) -> Any:
    made: list[EventStream] = []

    def open_one(channels: str, **options: str) -> EventStream:
        made.append(EventStream(exchange.settings.live.port, channels, **options))
        return made[-1]

    yield open_one
    for each in made:
        each.close()


@pytest.fixture
def traders(exchange: RunningExchange) -> tuple[Broker, Broker]:
    return exchange.trusted(), exchange.trusted()


def trade(traders: tuple[Broker, Broker], symbol: str, count: int = 1) -> None:
    seller, buyer = traders
    for _ in range(count):
        seller.order("ask", 1, 3_500, symbol)
        buyer.order("bid", 1, 3_500, symbol, wait=10)


Open = Callable[..., EventStream]


def test_a_stream_opens_at_once_on_a_silent_stock(stream: Open, stock: str) -> None:
    opened = stream(f"stock:{stock},book:{stock},candles:{stock}:5m,prices")
    assert opened.status == 200
    assert opened.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert opened.headers["cache-control"] == "no-cache"
    assert opened.headers["x-accel-buffering"] == "no"
    assert "content-encoding" not in opened.headers
    opened.wait_for("HEARTBEAT")
    assert opened.comments >= 1
    event, snapshot, _ = opened.heard[0]
    assert (event, snapshot["depth"], snapshot["book_sequence"], snapshot["bids"]) == ("BOOK_SNAPSHOT", 50, 0, [])
    assert stock in [price["symbol"] for price in opened.of("PRICE")]
    (beat,) = opened.of("HEARTBEAT")
    assert list(beat["channels"]) == [f"stock:{stock}", f"book:{stock}", f"candles:{stock}:5m", "prices"]
    assert beat["channels"][f"stock:{stock}"] == 0


def test_what_happens_is_told_with_a_position_each(stream: Open, stock: str, traders: Any) -> None:
    opened = stream(f"stock:{stock},book:{stock},prices,candles:{stock}:1d")
    opened.wait_for("HEARTBEAT")
    trade(traders, stock, 3)
    assert [payload["sequence"] for payload in opened.wait_for("TRADE_EXECUTED", 3)] == [1, 2, 3]
    until(lambda: any(candle["trade_count"] == 3 for candle in opened.of("CANDLE")), "the candle has all")
    until(
        lambda: any(p["symbol"] == stock and p["last_price"] == 3_500 for p in opened.of("PRICE")), "the price is told"
    )
    last = 0
    for delta in opened.of("BOOK_DELTA"):
        assert delta["first"] == last + 1
        last = delta["last"]
    assert all(position for _, _, position in opened.heard)


def test_whoever_comes_back_hears_each_event_once_and_in_order(
    exchange: RunningExchange, stream: Open, stock: str, traders: Any
) -> None:
    seller, buyer = traders
    channels = f"stock:{stock},account"
    heard: list[tuple[str, Any, str]] = []
    first = stream(channels, key=buyer.api_key)
    first.wait_for("HEARTBEAT")
    position = first.last
    first.close()
    for number in range(50):
        batch = [
            {"document_number": "1", "side": side, "symbol": stock, "quantity": 1, "price": 3_500}
            for side in ("ask",) * 5 + ("bid",) * 5
        ]
        answer = (seller, buyer)[number % 2].call("POST", "/orders/batch", {"orders": batch})
        assert answer.status_code == 200
        with stream(channels, key=buyer.api_key, **({"last": position} if number % 2 else {"after": position})) as back:
            time.sleep(0.03)
        heard += (gone := list(back.heard))
        position = gone[-1][2] if gone else position
    exchange.settle()
    last = exchange.scalar("SELECT event_sequence FROM stocks WHERE symbol = :s", s=stock)
    own = exchange.scalar("SELECT sequence FROM account_counters WHERE broker_id = :id", id=buyer.broker_id)
    with stream(channels, key=buyer.api_key, last=position) as back:
        until(lambda: numbered(heard + back.heard) == (last, own), "it has all")
    heard += back.heard
    assert [event for event, _, _ in heard if event == "RESET"] == []
    tape = [payload["sequence"] for event, payload, _ in heard if event == "TRADE_EXECUTED"]
    assert tape == list(range(1, last + 1))
    mine = [payload["account_sequence"] for _, payload, _ in heard if "account_sequence" in payload]
    assert mine == list(range(1, own + 1))


def numbered(heard: list[tuple[str, Any, str]]) -> tuple[int, int]:
    tape = [payload["sequence"] for event, payload, _ in heard if event == "TRADE_EXECUTED"]
    own = [payload["account_sequence"] for _, payload, _ in heard if "account_sequence" in payload]
    return max(tape, default=0), max(own, default=0)


@pytest.mark.parametrize("change", ["garbage", "epoch", "channels", "ahead", "empty numbers"])
def test_where_nobody_can_go_on_from_is_one_reset_and_then_the_whole(
    stream: Open, stock: str, traders: Any, change: str
) -> None:
    trade(traders, stock)
    first = stream(f"stock:{stock},book:{stock}")
    first.wait_for("HEARTBEAT")
    epoch, mark, counts = first.last.split(".")
    last, channels = {
        "garbage": ("no position at all", f"stock:{stock},book:{stock}"),
        "epoch": (f"other.{mark}.{counts}", f"stock:{stock},book:{stock}"),
        "channels": (first.last, f"book:{stock},stock:{stock}"),
        "ahead": (f"{epoch}.{mark}.999-1", f"stock:{stock},book:{stock}"),
        "empty numbers": (f"{epoch}.{mark}.", f"stock:{stock},book:{stock}"),
    }[change]
    back = stream(channels, last=last)
    back.wait_for("HEARTBEAT")
    assert [event for event, _, _ in back.heard] == ["RESET", "BOOK_SNAPSHOT", "HEARTBEAT"]
    assert back.of("RESET")[0]["epoch"] == epoch
    assert back.of("RESET")[0]["channels"][f"stock:{stock}"] == 1
    again = stream(channels, last=back.last)
    again.wait_for("HEARTBEAT")
    assert [event for event, _, _ in again.heard] == ["HEARTBEAT"]
    trade(traders, stock)
    assert [payload["sequence"] for payload in again.wait_for("TRADE_EXECUTED")] == [2]


def test_a_book_that_has_changed_meanwhile_comes_as_a_whole(stream: Open, stock: str, traders: Any) -> None:
    first = stream(f"book:{stock}")
    first.wait_for("HEARTBEAT")
    first.close()
    other = stream(f"book:{stock}")
    other.wait_for("HEARTBEAT")
    traders[0].order("ask", 5, 3_600, stock, wait=10)
    other.wait_for("BOOK_DELTA")
    back = stream(f"book:{stock}", last=first.last)
    back.wait_for("HEARTBEAT")
    (snapshot,) = [book for book in back.of("BOOK_SNAPSHOT") if book["depth"] == 50]
    assert (snapshot["resync"], snapshot["book_sequence"]) == (True, 1)


def test_candles_that_are_others_meanwhile_are_told(
    exchange: RunningExchange, stream: Open, stock: str, traders: Any
) -> None:
    first = stream(f"candles:{stock}:1d")
    first.wait_for("HEARTBEAT")
    trade(traders, stock, 2)
    until(lambda: [c["trade_count"] for c in first.of("CANDLE")][-1:] == [2], "it is told")
    first.close()
    trade(traders, stock, 1)
    with exchange.engine.begin() as connection:
        connection.execute(BUST, {"symbol": stock})
    until(lambda: reported(exchange, stock) == 4, "the reporter has it")
    back = stream(f"candles:{stock}:1d", last=first.last)
    back.wait_for("HEARTBEAT")
    assert [candle["trade_count"] for candle in back.of("CANDLE")] == [2]


BUST = text("""
    WITH stock AS (
        UPDATE stocks SET event_sequence = event_sequence + 1, book_version = book_version + 1,
            sequenced_at = clock_timestamp()
        WHERE symbol = :symbol RETURNING id, event_sequence
    ), busted AS (
        UPDATE trades t SET busted_at = now() FROM stock WHERE t.stock_id = stock.id AND t.sequence = 1 RETURNING t.id
    )
    INSERT INTO events (stock_id, sequence, kind, payload)
    SELECT stock.id, event_sequence, 'TRADE_BUSTED',
        json_build_object('sequence', event_sequence, 'trade_id', busted.id)
    FROM stock, busted
""")


def reported(exchange: RunningExchange, symbol: str) -> Any:
    statement = "SELECT r.sequence FROM reported_stocks r JOIN stocks s ON s.id = r.stock_id WHERE s.symbol = :s"
    return exchange.scalar(statement, s=symbol)


def test_own_events_go_to_their_owner_alone(exchange: RunningExchange, stream: Open, stock: str, traders: Any) -> None:
    seller, buyer = traders
    own = stream("account", key=buyer.api_key)
    others = [stream("account", key=exchange.trusted().api_key), stream(f"stock:{stock},book:{stock},prices")]
    for each in (own, *others):
        each.wait_for("HEARTBEAT")
    trade(traders, stock)
    own.wait_for("PORTFOLIO_UPDATED")
    others[1].wait_for("TRADE_EXECUTED")
    assert {payload["account_sequence"] for payload in own.of("ORDER_OPENED", "ORDER_FILLED")} == {1, 2}
    for eavesdropper in others:
        told = {event for event, _, _ in eavesdropper.heard}
        assert not any(event.startswith(("ORDER_", "PORTFOLIO")) for event in told)
    for channels in (f"account/{buyer.broker_id}", f"user:{buyer.broker_id}", f"account:{buyer.broker_id}"):
        assert stream(channels, key=seller.api_key).status == 422
    assert stream("account").status == 401
    forged = f"{own.last.rsplit('.', 1)[0]}.0"
    with stream("account", key=seller.api_key, last=forged) as back:
        back.wait_for("ORDER_OPENED")
        assert {payload["side"] for payload in back.of("ORDER_OPENED")} == {"ask"}


@pytest.mark.parametrize(
    ("query", "headers", "status", "code"),
    [
        ("", {}, 422, "invalid_request"),
        ("channels=", {}, 422, "invalid_request"),
        ("channels=stock:petr4", {}, 422, "invalid_request"),
        ("channels=candles:PETR4:7m", {}, 422, "invalid_request"),
        ("channels=stock:PETR4&key=x", {}, 422, "invalid_request"),
        ("channels=stock:PETR4&channels=book:PETR4", {}, 422, "invalid_request"),
        ("channels=" + ",".join(f"stock:S{n}" for n in range(201)), {}, 422, "invalid_request"),
        ("channels=stock:NONE9", {}, 404, "unknown_stock"),
        ("channels=stock:PETR4", {"Authorization": "Bearer mx_" + "x" * 43}, 401, "unauthenticated"),
        ("channels=stock:PETR4", {"Authorization": "Basic YTpi"}, 401, "unauthenticated"),
        ("channels=stock:PETR4", {"Authorization": ""}, 401, "unauthenticated"),
        ("channels=account", {}, 401, "unauthenticated"),
    ],
)
def test_what_is_refused_is_said_as_over_rest(
    exchange: RunningExchange, query: str, headers: dict[str, str], status: int, code: str
) -> None:
    answer = requests.get(f"{exchange.live_base}/api/v1/stream?{query}", headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert ("WWW-Authenticate" in answer.headers) is (status == 401)
    assert (list(answer.json()["errors"]) != []) is (status == 422)


def test_other_methods_and_pages_of_others(exchange: RunningExchange) -> None:
    url = f"{exchange.live_base}/api/v1/stream?channels=prices"
    refused = requests.post(url, timeout=30)
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, OPTIONS")
    for origin, allowed in ((exchange.base, exchange.base), ("https://evil.example", None)):
        asked = requests.options(url, headers={"Origin": origin}, timeout=30)
        assert (asked.status_code, asked.headers.get("Access-Control-Allow-Origin")) == (204, allowed)
        assert "Authorization" in asked.headers["Access-Control-Allow-Headers"]


def test_a_revoked_key_ends_its_streams(exchange: RunningExchange, stream: Open, stock: str) -> None:
    broker = exchange.trusted()
    opened = stream(f"stock:{stock},account", key=broker.api_key)
    opened.wait_for("HEARTBEAT")
    with exchange.engine.begin() as connection:
        statement = text("UPDATE api_keys SET revoked_at = now() WHERE broker_id = :id")
        connection.execute(statement, {"id": broker.broker_id})
    assert opened.wait_for("CLOSED") == [{"code": "key_revoked"}]
    until(lambda: opened.ended, "it has ended")
    assert stream("account", key=broker.api_key).status == 401


def test_an_address_has_so_many_streams_and_its_idlest_goes_for_a_new_one(
    exchange: RunningExchange, stream: Open, stock: str, traders: Any
) -> None:
    most = exchange.settings.live.streams_of_address
    until(lambda: "it can" and stream(f"stock:{stock}").status == 200, "there is room")
    opened = [stream(f"stock:{stock}") for _ in range(most)]
    for each in opened:
        each.wait_for("HEARTBEAT")
    silent = f"FLOW{next(numbers)}"
    exchange.list(silent)
    idle = stream(f"stock:{silent}")
    idle.wait_for("HEARTBEAT")
    trade(traders, stock)
    alive = [each for each in opened if not each.ended]
    for each in alive[1:]:
        each.wait_for("TRADE_EXECUTED")
    newest = stream(f"stock:{stock}")
    newest.wait_for("HEARTBEAT")
    assert idle.wait_for("CLOSED") == [{"code": "replaced"}]
    until(lambda: idle.ended, "the idlest is gone")
    trade(traders, stock)
    newest.wait_for("TRADE_EXECUTED")


def test_a_stream_that_is_gone_leaves_nothing_behind(
    exchange: RunningExchange, stream: Open, stock: str, connections: Callable[[], list[str]]
) -> None:
    until(lambda: not connections(), "those of before are gone")
    for _ in range(5):
        with stream(f"stock:{stock}") as opened:
            opened.wait_for("HEARTBEAT")
    until(lambda: not connections(), "its sockets are freed")
    exchange.list(other := f"FLOW{next(numbers)}")
    assert stream(f"stock:{other}").status == 200
