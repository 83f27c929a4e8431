"""A small exchange in one process: real PostgreSQL and Valkey, the worker called step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from database.session import connect, transaction
from queues.bus import Bus
from queues.connection import connect as connect_redis
from queues.wakeups import Wakeups
from services.identity.register import register_broker
from services.order_entry.placing.answers import Placed
from services.order_entry.placing.place import place_orders
from services.order_entry.requests import NewOrder, OrderRequest
from services.stocks.listing import list_stock
from settings.sections import Settings
from tests.roles import as_role, with_roles
from workers.database import connect_worker
from workers.matcher import Matcher
from workers.presence import Presence


class SmallExchange:
    """One trusted broker, and stocks of one group each test module names."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.engine = connect(as_role(settings.database.url), pool_size=4)
        self.redis = connect_redis(settings.redis)
        self.wakeups = Wakeups(self.redis)
        self.placed = 0
        with transaction(self.engine) as session:
            self.broker_id = register_broker(session, name="Trusted", credit_limit=10**15, short_limit=10**12).broker_id

    def list(self, symbol: str, group: str = "A") -> str:
        """List a stock without a reference price."""
        with transaction(self.engine) as session:
            list_stock(session, symbol=symbol, name=symbol, market=self.settings.market, group=group)
        return symbol

    def broker(self) -> int:
        """Register another trusted broker; its id."""
        with transaction(self.engine) as session:
            return register_broker(session, name="Another", credit_limit=10**15, short_limit=10**12).broker_id

    def place(
        self, symbol: str, side: str, price: int, quantity: int = 100, document: str = "1", broker: int | None = None
    ) -> int:
        """Store an order that must be accepted; its id. Nobody is woken."""
        self.placed += 1
        with transaction(self.engine) as session:
            request = OrderRequest(symbol, document, side, "limit", "gtc", price, quantity, b"%d" % self.placed)
            order = NewOrder(broker or self.broker_id, request)
            (answer,) = place_orders(lambda work: work(session), [order], {}, self.settings.market, datetime.now(UTC))
        assert isinstance(answer, Placed), answer
        return answer.order_id

    def matcher(self, **changes: int) -> Matcher:
        """A worker's matcher with its own connection and books; `changes` are settings of `match`."""
        settings = replace(self.settings, match=replace(self.settings.match, **changes))
        return Matcher(connect_worker(settings), Bus(self.redis), settings, settings.match.turn_limit)

    def rows(self, sql: str, **values: object) -> list[tuple[object, ...]]:
        """What a query gives."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql), values)]

    def statuses(self, *order_ids: int) -> list[object]:
        """The orders' statuses."""
        found = dict(self.rows("SELECT id, status FROM orders WHERE id = ANY(:ids)", ids=list(order_ids)))
        return [found[order_id] for order_id in order_ids]


@contextmanager
def small_exchange(database_url: str, redis_url: str) -> Iterator[SmallExchange]:
    """A small exchange on this database."""
    settings = Settings()
    settings = replace(
        with_roles(settings, database_url),
        redis=replace(settings.redis, url=redis_url, timeout_ms=5_000),
        match=replace(settings.match, idle_in_transaction_ms=30_000),
    )
    exchange = SmallExchange(settings)
    yield exchange
    exchange.engine.dispose()


@pytest.fixture(scope="module")
def exchange(database_url: str, redis_url: str) -> Iterator[SmallExchange]:
    """A small exchange for one test module."""
    with small_exchange(database_url, redis_url) as exchange:
        yield exchange


@pytest.fixture
def own_exchange(new_database: Callable[[], str], redis_url: str) -> Iterator[SmallExchange]:
    """A small exchange for one test, which leaves what `verify` must find."""
    with small_exchange(new_database(), redis_url) as exchange:
        yield exchange


@pytest.fixture(autouse=True)
def _nobody_listens_on(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """RQ's thread for commands outlives the worker of a test, and would tell for ever that its server is gone."""
    listening: list[Presence] = []
    subscribe = Presence.subscribe

    def noted(presence: Presence) -> None:
        listening.append(presence)
        subscribe(presence)

    monkeypatch.setattr(Presence, "subscribe", noted)
    yield
    for presence in listening:
        if presence.pubsub_thread is not None:
            presence.pubsub_thread.stop()
