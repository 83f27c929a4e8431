"""An exchange of its own to measure: real servers, real processes, many stocks and brokers."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import requests
from sqlalchemy import text

from cli.schema import upgrade
from config import Settings
from embedded.folder import servers_folder
from embedded.ports import random_free_port
from embedded.postgres import PostgresServer
from embedded.run import RunProcesses
from embedded.valkey import ValkeyServer
from models.session import connect, transaction
from services.accounts import deposit
from services.listing import list_stock
from services.register import register_broker
from services.verify import verify

REFERENCE = 10_000
"""Cents: where every stock is listed, and prices lie around."""

CASH = 10**15
SHARES = 10**10
"""What each broker holds: enough for any run, so that every order is funded and every reservation is real."""


@dataclass(frozen=True)
class Trader:
    """A broker with what it authenticates with."""

    broker_id: int
    api_key: str


class World:
    """PostgreSQL, Valkey and every process, thrown away at the end."""

    def __init__(self, stocks: int = 450, brokers: int = 100, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.symbols = [f"S{n:04d}" for n in range(stocks)]
        self._brokers = brokers
        self.traders: list[Trader] = []
        self._exit = contextlib.ExitStack()

    def __enter__(self) -> Self:
        base = Path(tempfile.mkdtemp(prefix="minex-bench-"))
        self._exit.callback(shutil.rmtree, base, ignore_errors=True)
        servers = servers_folder(base)
        if servers != base.resolve():
            self._exit.callback(shutil.rmtree, servers, ignore_errors=True)
        settings = {"track_commit_timestamp": "on", "max_wal_size": "4GB"}
        self.postgres = self._exit.enter_context(PostgresServer(servers / "postgres", settings=settings))
        self.valkey = self._exit.enter_context(ValkeyServer(servers / "valkey"))
        web, live = random_free_port(), random_free_port()
        given = self.settings
        self.settings = replace(
            given,
            database=replace(given.database, url=self.postgres.url),
            redis=replace(given.redis, url=self.valkey.url),
            web=replace(given.web, port=web),
            live=replace(given.live, port=live),
        )
        self.url = f"http://127.0.0.1:{web}"
        self.live_url = f"http://127.0.0.1:{live}"
        self.folder = base
        self.processes = RunProcesses(self.settings, base)
        self._exit.callback(self.processes.kill_all)
        upgrade(self.postgres.url)
        self.engine = connect(self.postgres.url, pool_size=4, application="minex-bench")
        self._exit.callback(self.engine.dispose)
        self._list_and_register()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def open(self, *names: str) -> None:
        """Start these processes (default: web, match, clock) and wait until the exchange says that it is up."""
        for name in names or ("web", "match", "clock"):
            self.processes.start(name)
        until(lambda: requests.get(f"{self.url}/health", timeout=5).json()["status"] == "up", "the exchange is up")

    def scalar(self, sql: str, **values: Any) -> Any:
        """One value from the database."""
        with self.engine.connect() as connection:
            return connection.execute(text(sql), values).scalar()

    def rows(self, sql: str, **values: Any) -> list[Any]:
        """What a query gives."""
        with self.engine.connect() as connection:
            return list(connection.execute(text(sql), values))

    def backlog(self) -> int:
        """Commands that nobody has matched yet."""
        return int(self.scalar("SELECT count(*) FROM commands WHERE sequence IS NULL"))

    def drain(self, seconds: float = 120) -> float:
        """Seconds until the backlog is zero. Raises TimeoutError."""
        began = time.monotonic()
        until(lambda: self.backlog() == 0, "the backlog is matched", seconds)
        return time.monotonic() - began

    def verify(self, *, replay: bool = False) -> bool:
        """Whether everything that must always be true is."""
        with transaction(self.engine) as session:
            return verify(session, replay=replay).clean

    def _list_and_register(self) -> None:
        market, group = self.settings.market, self.settings.match.groups[0]
        with transaction(self.engine) as session:
            ids = [
                list_stock(session, symbol=one, name=one, market=market, group=group, reference_price=REFERENCE)
                for one in self.symbols
            ]
            for n in range(self._brokers):
                new = register_broker(session, name=f"Broker {n}", cash=CASH)
                self.traders.append(Trader(new.broker_id, new.api_key))
                for stock_id in ids:
                    deposit(session, new.broker_id, stock_id, SHARES)
            session.execute(text("ANALYZE"))


def until(condition: Callable[[], Any], what: str, seconds: float = 60.0) -> None:
    """Wait for something to become true. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(requests.ConnectionError):
            if condition():
                return
        time.sleep(0.05)
    raise TimeoutError(f"never happened: {what}")


@contextlib.contextmanager
def opened(world: World, *names: str) -> Iterator[World]:
    """A world with its processes running."""
    with world:
        world.open(*names)
        yield world
