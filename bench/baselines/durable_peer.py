"""A durable peer: FastAPI and asyncpg, matching in the database, and answered when that is committed.

    PEER_MARKET=market.json python -m uvicorn --factory bench.baselines.durable_peer:application --workers 2

An order locks its stock, takes the best orders of the other side one after the other, and is stored with its trades and
what they move, all in one transaction. Nothing is reserved: accounts may go below zero.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg
from fastapi import FastAPI

from bench.baselines.peer import CASH, LATEST, LEVELS, NewOrder, application_of, market

SCHEMA: Final = """
    CREATE TABLE accounts (broker bigint PRIMARY KEY, cash bigint NOT NULL);
    CREATE TABLE stocks (symbol text PRIMARY KEY, last_price bigint);
    CREATE TABLE orders (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, broker bigint NOT NULL, symbol text NOT NULL,
        document text NOT NULL, side text NOT NULL, price bigint NOT NULL, quantity bigint NOT NULL,
        remaining bigint NOT NULL, is_open boolean NOT NULL, created_at timestamptz NOT NULL DEFAULT clock_timestamp()
    ) WITH (fillfactor = 80);
    CREATE INDEX orders_book ON orders (symbol, side, price, id) WHERE is_open;
    CREATE TABLE trades (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, symbol text NOT NULL, price bigint NOT NULL,
        quantity bigint NOT NULL, buy_order bigint NOT NULL, sell_order bigint NOT NULL, buyer bigint NOT NULL,
        seller bigint NOT NULL, executed_at timestamptz NOT NULL DEFAULT clock_timestamp()
    );
    CREATE INDEX trades_tape ON trades (symbol, id);
"""

LOCK: Final = "SELECT FROM stocks WHERE symbol = $1 FOR UPDATE"
INSERT: Final = """
    INSERT INTO orders (broker, symbol, document, side, price, quantity, remaining, is_open)
    VALUES ($1, $2, $3, $4, $5, $6, $6, true) RETURNING id
"""
BEST: Final = {
    "bid": "SELECT id, broker, price, remaining FROM orders WHERE is_open AND symbol = $1 AND side = 'ask' "
    "AND price <= $2 ORDER BY price, id LIMIT 20 FOR UPDATE",
    "ask": "SELECT id, broker, price, remaining FROM orders WHERE is_open AND symbol = $1 AND side = 'bid' "
    "AND price >= $2 ORDER BY price DESC, id LIMIT 20 FOR UPDATE",
}
"""The orders that one of this side would meet, best first."""
FILL: Final = "UPDATE orders SET remaining = remaining - $2, is_open = remaining > $2 WHERE id = $1"
TRADE: Final = """
    INSERT INTO trades (symbol, price, quantity, buy_order, sell_order, buyer, seller)
    VALUES ($1, $2, $3, $4, $5, $6, $7)
"""
PAY: Final = "UPDATE accounts SET cash = cash + $2 WHERE broker = $1"
LAST: Final = "UPDATE stocks SET last_price = $2 WHERE symbol = $1"
CANCEL: Final = "UPDATE orders SET is_open = false WHERE id = $1 AND broker = $2 RETURNING id"
ORDER: Final = "SELECT id, symbol, side, price, quantity, remaining, is_open FROM orders WHERE id = $1 AND broker = $2"
BOOK: Final = """
    SELECT price, sum(remaining)::bigint AS total_quantity, count(*) AS order_count FROM orders
    WHERE is_open AND symbol = $1 AND side = '{side}' GROUP BY price ORDER BY price {order} LIMIT $2
"""
BIDS, ASKS = BOOK.format(side="bid", order="DESC"), BOOK.format(side="ask", order="ASC")
PRICE: Final = """
    SELECT last_price, (SELECT avg(price)::bigint FROM (
        SELECT price FROM trades t WHERE t.symbol = s.symbol ORDER BY id DESC LIMIT $2) latest) AS average_price
    FROM stocks s WHERE symbol = $1
"""


class DurableExchange:
    """Its state is the database's."""

    pool: asyncpg.Pool[asyncpg.Record]

    async def place(self, broker: int, order: NewOrder) -> int:
        """Store it and match it; its id."""
        async with self.pool.acquire() as connection, connection.transaction():
            await connection.execute(LOCK, order.symbol)
            number = await connection.fetchval(
                INSERT, broker, order.symbol, order.document_number, order.side, order.price, order.quantity
            )
            await self._match(connection, broker, order, number)
        return int(number)

    async def _match(self, connection: Any, broker: int, order: NewOrder, number: int) -> None:
        left = order.quantity
        fills, trades, pays = [], [], []
        while left:
            found = await connection.fetch(BEST[order.side], order.symbol, order.price)
            for maker in found:
                quantity = min(left, maker["remaining"])
                left -= quantity
                fills += [(maker["id"], quantity), (number, quantity)]
                ours, theirs = (number, broker), (maker["id"], maker["broker"])
                (buy, buyer), (sell, seller) = (ours, theirs) if order.side == "bid" else (theirs, ours)
                trades.append((order.symbol, maker["price"], quantity, buy, sell, buyer, seller))
                pays += [(buyer, -quantity * maker["price"]), (seller, quantity * maker["price"])]
                if not left:
                    break
            if fills:
                await connection.executemany(FILL, fills)
                fills = []
            if len(found) < 20:
                break
        if trades:
            await connection.executemany(TRADE, trades)
            await connection.executemany(PAY, sorted(pays))
            await connection.execute(LAST, order.symbol, trades[-1][1])

    async def cancel(self, broker: int, order_id: int) -> bool:
        """Close it, if it is this broker's."""
        return await self.pool.fetchval(CANCEL, order_id, broker) is not None

    async def book(self, symbol: str) -> dict[str, Any]:
        """The best levels."""
        async with self.pool.acquire() as connection:
            bids = await connection.fetch(BIDS, symbol, LEVELS)
            asks = await connection.fetch(ASKS, symbol, LEVELS)
        return {"symbol": symbol, "bids": [dict(row) for row in bids], "asks": [dict(row) for row in asks]}

    async def price(self, symbol: str) -> dict[str, Any]:
        """The last price, and the average of the latest."""
        row = await self.pool.fetchrow(PRICE, symbol, LATEST)
        return {"symbol": symbol, **dict(row or {})}

    async def order(self, broker: int, order_id: int) -> dict[str, Any] | None:
        """One order of this broker."""
        row = await self.pool.fetchrow(ORDER, order_id, broker)
        return None if row is None else dict(row)

    async def balance(self, broker: int) -> dict[str, Any]:
        """Cash in cents."""
        return {"cash": await self.pool.fetchval("SELECT cash FROM accounts WHERE broker = $1", broker)}


async def prepare(given: dict[str, Any]) -> None:
    """Make the tables, and put the market in."""
    connection = await asyncpg.connect(given["database"])
    try:
        await connection.execute(SCHEMA)
        await connection.executemany(
            "INSERT INTO accounts VALUES ($1, $2)", [(number, CASH) for number in range(1, len(given["keys"]) + 1)]
        )
        await connection.executemany("INSERT INTO stocks VALUES ($1)", [(symbol,) for symbol in given["symbols"]])
    finally:
        await connection.close()


def application() -> FastAPI:
    """The peer for the market of this process."""
    given, exchange = market(), DurableExchange()

    @asynccontextmanager
    async def open_pool(_: FastAPI) -> AsyncIterator[None]:
        async with asyncpg.create_pool(given["database"], min_size=10, max_size=10) as exchange.pool:
            yield

    return application_of(exchange, given, open_pool)
