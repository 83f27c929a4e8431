"""A peer in memory: FastAPI in one process, matching in Python, flushed to the database later.

    PEER_MARKET=market.json python -m uvicorn --factory bench.baselines.memory_peer:application

An order is answered as soon as it has been matched in memory. What has happened is written thirty milliseconds later,
so a crash loses it: orders that were acknowledged, and trades that were told. Nothing is reserved.
"""

from __future__ import annotations

import asyncio
from bisect import insort
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

import asyncpg
from fastapi import FastAPI

from bench.baselines.peer import CASH, LATEST, LEVELS, NewOrder, application_of, market

FLUSH_SECONDS: Final = 0.03

SCHEMA: Final = """
    CREATE TABLE orders (
        id bigint, broker bigint, symbol text, document text, side text, price bigint, quantity bigint
    );
    CREATE TABLE trades (
        symbol text, price bigint, quantity bigint, buy_order bigint, sell_order bigint, buyer bigint, seller bigint
    );
    CREATE TABLE cancels (order_id bigint);
"""


@dataclass(slots=True)
class Resting:
    """An order as it stands."""

    id: int
    broker: int
    symbol: str
    side: str
    price: int
    quantity: int
    remaining: int
    is_open: bool = True


@dataclass(slots=True)
class Side:
    """One side of a book: queues by price, and the prices from the worst to the best."""

    sign: int
    levels: dict[int, deque[Resting]] = field(default_factory=dict)
    keys: list[int] = field(default_factory=list)
    """Prices times `sign`: the best is the last."""

    def best(self) -> deque[Resting] | None:
        """The queue at the best price; levels where nothing is open any more go."""
        while self.keys:
            price = self.keys[-1] * self.sign
            level = self.levels[price]
            while level and not level[0].is_open:
                level.popleft()
            if level:
                return level
            self.keys.pop()
            del self.levels[price]
        return None

    def add(self, order: Resting) -> None:
        """At the back of the queue at its price."""
        level = self.levels.get(order.price)
        if level is None:
            level = self.levels[order.price] = deque()
            insort(self.keys, order.price * self.sign)
        level.append(order)

    def shown(self) -> list[dict[str, int]]:
        """The best levels."""
        found = []
        for key in islice(reversed(self.keys), 2 * LEVELS):
            open_ = [order for order in self.levels[key * self.sign] if order.is_open]
            if open_:
                quantity = sum(order.remaining for order in open_)
                found.append({"price": key * self.sign, "total_quantity": quantity, "order_count": len(open_)})
        return found[:LEVELS]


class MemoryExchange:
    """Its state is this process's; `unwritten` is what the database has not heard of yet."""

    def __init__(self, brokers: int) -> None:
        self.books: defaultdict[str, dict[str, Side]] = defaultdict(lambda: {"bid": Side(1), "ask": Side(-1)})
        self.orders: dict[int, Resting] = {}
        self.cash = dict.fromkeys(range(1, brokers + 1), CASH)
        self.tapes: defaultdict[str, deque[int]] = defaultdict(lambda: deque(maxlen=LATEST))
        self.unwritten: dict[str, list[tuple[Any, ...]]] = {"orders": [], "trades": [], "cancels": []}

    async def place(self, broker: int, order: NewOrder) -> int:
        """Match it; its id."""
        number = len(self.orders) + 1
        taker = Resting(number, broker, order.symbol, order.side, order.price, order.quantity, order.quantity)
        self.orders[number] = taker
        self.unwritten["orders"].append(
            (number, broker, order.symbol, order.document_number, order.side, order.price, order.quantity)
        )
        book = self.books[order.symbol]
        opposite = book["ask" if order.side == "bid" else "bid"]
        while taker.remaining and (level := opposite.best()) is not None:
            maker = level[0]
            if maker.price * opposite.sign < order.price * opposite.sign:
                break
            self._trade(taker, maker)
        if taker.remaining:
            book[order.side].add(taker)
        return number

    def _trade(self, taker: Resting, maker: Resting) -> None:
        quantity, price = min(taker.remaining, maker.remaining), maker.price
        for order in (taker, maker):
            order.remaining -= quantity
            order.is_open = order.remaining > 0
        buy, sell = (taker, maker) if taker.side == "bid" else (maker, taker)
        self.cash[buy.broker] -= price * quantity
        self.cash[sell.broker] += price * quantity
        self.tapes[taker.symbol].append(price)
        trade = (taker.symbol, price, quantity, buy.id, sell.id, buy.broker, sell.broker)
        self.unwritten["trades"].append(trade)

    async def cancel(self, broker: int, order_id: int) -> bool:
        """Close it, if it is this broker's."""
        order = self.orders.get(order_id)
        if order is None or order.broker != broker:
            return False
        order.is_open = False
        self.unwritten["cancels"].append((order_id,))
        return True

    async def book(self, symbol: str) -> dict[str, Any]:
        """The best levels."""
        book = self.books[symbol]
        return {"symbol": symbol, "bids": book["bid"].shown(), "asks": book["ask"].shown()}

    async def price(self, symbol: str) -> dict[str, Any]:
        """The last price, and the average of the latest."""
        tape = self.tapes[symbol]
        last = tape[-1] if tape else None
        return {"symbol": symbol, "last_price": last, "average_price": sum(tape) // len(tape) if tape else None}

    async def order(self, broker: int, order_id: int) -> dict[str, Any] | None:
        """One order of this broker."""
        order = self.orders.get(order_id)
        if order is None or order.broker != broker:
            return None
        return {name: getattr(order, name) for name in Resting.__slots__}

    async def balance(self, broker: int) -> dict[str, Any]:
        """Cash in cents."""
        return {"cash": self.cash[broker]}

    async def flush(self, connection: Any) -> None:
        """Write what has happened since the last time."""
        unwritten, self.unwritten = self.unwritten, {name: [] for name in self.unwritten}
        async with connection.transaction():
            for table, rows in unwritten.items():
                if rows:
                    await connection.copy_records_to_table(table, records=rows)

    async def flush_for_ever(self, connection: Any) -> None:
        """So that little is lost in a crash."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush(connection)


async def prepare(given: dict[str, Any]) -> None:
    """Make the tables."""
    connection = await asyncpg.connect(given["database"])
    try:
        await connection.execute(SCHEMA)
    finally:
        await connection.close()


def application() -> FastAPI:
    """The peer for the market of this process."""
    given = market()
    exchange = MemoryExchange(len(given["keys"]))

    @asynccontextmanager
    async def flushing(_: FastAPI) -> AsyncIterator[None]:
        connection = await asyncpg.connect(given["database"])
        task = asyncio.create_task(exchange.flush_for_ever(connection))
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await exchange.flush(connection)
        await connection.close()

    return application_of(exchange, given, flushing)
