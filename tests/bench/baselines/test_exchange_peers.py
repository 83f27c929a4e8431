"""The peers that Minex is measured beside are real: both match as our own engine does, and answer over REST."""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from bench.baselines import durable_peer, memory_peer
from bench.baselines.peer import CASH, MARKET, NewOrder
from engine import ASK, BID, Book, Cancel, New, Order, Rules
from machine.ports import is_free, random_free_port
from settings.loading import ROOT

SYMBOLS = ["S0", "S1"]
BROKERS = 5


@pytest.fixture
def market(new_database: Callable[[], str]) -> Callable[[], dict[str, Any]]:
    """Makes markets, each in a new database."""

    def make() -> dict[str, Any]:
        keys = [f"key-{number}" for number in range(BROKERS)]
        return {"database": emptied(new_database()), "symbols": SYMBOLS, "keys": keys}

    return make


def emptied(url: str) -> str:
    """The same database without what the migrations made."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return url


def stream(seed: int, count: int) -> list[tuple[int, NewOrder | int]]:
    """Orders of brokers, and now and then the place of an earlier order to be cancelled."""
    choose, found = random.Random(seed), []
    for number in range(count):
        broker = choose.randint(1, BROKERS)
        if number > 10 and choose.random() < 0.2:
            found.append((broker, choose.randrange(number)))
            continue
        order = NewOrder(
            document_number="1",
            side=choose.choice(("bid", "ask")),
            symbol=choose.choice(SYMBOLS),
            quantity=choose.randint(1, 60),
            price=choose.randint(95, 105),
        )
        found.append((broker, order))
    return found


def by_engine(wanted: list[tuple[int, NewOrder | int]]) -> dict[str, list[list[tuple[int, int]]]]:
    """The books that our engine ends with: (price, shares) of each level, best first."""
    books = {symbol: Book(Rules()) for symbol in SYMBOLS}
    placed: dict[int, tuple[str, int, int]] = {}
    for number, (broker, what) in enumerate(wanted):
        if isinstance(what, NewOrder):
            placed[number] = what.symbol, broker, len(placed) + 1
            side = BID if what.side == "bid" else ASK
            books[what.symbol].apply(New(Order(len(placed), None, side, "limit", what.price, what.quantity)), 0)
        elif what in placed and placed[what][1] == broker:
            symbol, _, order_id = placed[what]
            books[symbol].apply(Cancel(order_id), 0)
    return {
        symbol: [[(price, shares) for price, shares, _ in book.depth(side, 10)] for side in (BID, ASK)]
        for symbol, book in books.items()
    }


async def by_peer(exchange: Any, wanted: list[tuple[int, NewOrder | int]]) -> dict[str, list[list[tuple[int, int]]]]:
    """The books that a peer ends with."""
    ids: dict[int, int] = {}
    for number, (broker, what) in enumerate(wanted):
        if isinstance(what, NewOrder):
            ids[number] = await exchange.place(broker, what)
        elif what in ids:
            await exchange.cancel(broker, ids[what])
    books = {symbol: await exchange.book(symbol) for symbol in SYMBOLS}
    return {
        symbol: [[(level["price"], level["total_quantity"]) for level in book[side]] for side in ("bids", "asks")]
        for symbol, book in books.items()
    }


def test_both_end_with_the_books_of_our_engine(market: Callable[[], dict[str, Any]]) -> None:
    async def run(wanted: list[tuple[int, NewOrder | int]]) -> None:
        given, durable, memory = market(), durable_peer.DurableExchange(), memory_peer.MemoryExchange(BROKERS)
        await durable_peer.prepare(given)
        async with durable_peer.asyncpg.create_pool(given["database"], min_size=1, max_size=2) as durable.pool:
            books = by_engine(wanted)
            assert await by_peer(durable, wanted) == await by_peer(memory, wanted) == books
            assert any(levels for sides in books.values() for levels in sides)
            balances = [(await peer.balance(1))["cash"] for peer in (durable, memory)]
            prices = [(await peer.price("S0"))["last_price"] for peer in (durable, memory)]
        assert balances[0] == balances[1] != CASH
        assert prices[0] == prices[1]

    asyncio.run(run(stream(7, 300)))


def test_what_is_in_memory_is_written_later(market: Callable[[], dict[str, Any]]) -> None:
    async def run() -> None:
        given, exchange = market(), memory_peer.MemoryExchange(BROKERS)
        await memory_peer.prepare(given)
        await by_peer(exchange, stream(3, 60))
        connection = await memory_peer.asyncpg.connect(given["database"])
        counts = [len(rows) for rows in exchange.unwritten.values()]
        await exchange.flush(connection)
        for table, count in zip(exchange.unwritten, counts, strict=True):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == count > 0
        await connection.close()

    asyncio.run(run())


@pytest.mark.parametrize("peer", [durable_peer, memory_peer], ids=["durable", "in memory"])
def test_the_routes_of_the_load(market: Callable[[], dict[str, Any]], peer: Any, tmp_path: Path) -> None:
    given, port = market(), random_free_port()
    asyncio.run(peer.prepare(given))
    file = tmp_path / "market.json"
    file.write_text(json.dumps(given), encoding="utf-8")
    command = [sys.executable, "-m", "uvicorn", "--factory", f"{peer.__name__}:application", "--port", str(port)]
    log = tmp_path / "log"
    with log.open("wb") as out:
        server = subprocess.Popen(command, cwd=ROOT, env={**os.environ, MARKET: str(file)}, stdout=out, stderr=out)
    try:
        while is_free(port):
            assert server.poll() is None, log.read_text()
            time.sleep(0.05)
        look_at(f"http://127.0.0.1:{port}/api/v1")
    finally:
        server.terminate()
        server.wait(10)


def look_at(url: str) -> None:
    order = {"document_number": "1", "side": "bid", "symbol": "S0", "quantity": 10, "price": 100}
    with requests.Session() as client:
        client.headers["Authorization"] = "Bearer key-1"
        placed = client.post(f"{url}/orders", json=order)
        assert placed.status_code == 201
        path = f"{url}/orders/{placed.json()['order_id']}"
        assert client.get(path).json()["remaining"] == 10
        assert client.get(path, headers={"Authorization": "Bearer key-2"}).status_code == 404
        levels = client.get(f"{url}/stocks/S0/book").json()["bids"]
        assert levels == [{"price": 100, "total_quantity": 10, "order_count": 1}]
        assert client.get(f"{url}/stocks/S0/price").json()["last_price"] is None
        assert client.get(f"{url}/balance").json()["cash"] == CASH
        assert client.delete(path).status_code == 204
        assert client.get(f"{url}/stocks/S0/book").json()["bids"] == []
        assert client.post(f"{url}/orders", json={**order, "symbol": "S9"}).status_code == 404
        assert client.post(f"{url}/orders", json={**order, "quantity": 0}).status_code == 422
        assert client.get(f"{url}/balance", headers={"Authorization": "Bearer nobody"}).status_code == 401
