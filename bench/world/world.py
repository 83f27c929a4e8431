"""An exchange of its own to measure: real servers, real processes, many stocks and brokers."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import requests
from sqlalchemy import text

from bench.figures import Figure, at_most
from bench.options import Options
from bench.world.seed import Trader, list_stocks, register_traders
from database.session import connect, transaction
from embedded.folder import servers_folder
from embedded.postgres import DATABASE, PostgresServer
from embedded.postgres_roles import OWNER, PROCESS, READER
from embedded.run import RunProcesses
from embedded.valkey import ValkeyServer
from machine.ports import random_free_port
from services.verify import Report, verify
from settings.sections import Settings

SERVER_SETTINGS = {"track_commit_timestamp": "on", "max_wal_size": "4GB"}
"""Commit times tell when an order was settled; a checkpoint that comes from the WAL's size would fall into some loads
and not into others."""


CATCH_UP_SECONDS = 300
STAYS_SECONDS = 20
"""A command that nobody has matched for so long after a load is left unmatched."""

WHOLE = ("web", "match", "clock", "reporter")
"""The processes that trading needs, and the one that keeps what the market sees."""

BEHIND = """
    SELECT count(*) FROM stocks s LEFT JOIN reported_stocks r ON r.stock_id = s.id
    WHERE s.event_sequence > coalesce(r.sequence, 0)
"""
"""Stocks whose tape the reporter has not come to the end of."""


class World:
    """PostgreSQL, Valkey and every process, thrown away at the end."""

    def __init__(self, stocks: int, brokers: int, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.symbols = [f"S{n:04d}" for n in range(stocks)]
        self.stock_ids: list[int] = []
        self._brokers = brokers
        self.traders: list[Trader] = []
        self._exit = contextlib.ExitStack()

    @classmethod
    def of(cls, options: Options) -> Self:
        """As large as the options say."""
        return cls(options.stocks, options.brokers, options.settings)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._make(stack)
            self._exit = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def _make(self, stack: contextlib.ExitStack) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="minex-bench-"))
        stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        servers = servers_folder(self.folder)
        if servers != self.folder.resolve():
            stack.callback(shutil.rmtree, servers, ignore_errors=True)
        self.postgres = stack.enter_context(PostgresServer(servers / "postgres", settings=SERVER_SETTINGS))
        self.valkey = stack.enter_context(ValkeyServer(servers / "valkey"))
        process, owner, reader = (self.postgres.url_of(DATABASE, role) for role in (PROCESS, OWNER, READER))
        given, web, live = self.settings, random_free_port(), random_free_port()
        self.settings = replace(
            given,
            exchange=replace(given.exchange, demo=False),
            database=replace(given.database, url=process, owner_url=owner, reader_url=reader),
            redis=replace(given.redis, url=self.valkey.url),
            web=replace(given.web, host="127.0.0.1", port=web),
            live=replace(given.live, host="127.0.0.1", port=live),
            limits=replace(given.limits, open_orders=0, open_orders_per_stock=0),  # few brokers stand for many
        )
        self.url, self.live_port = f"http://127.0.0.1:{web}", live
        self.processes = RunProcesses(self.settings, self.folder, self.valkey.urls)
        stack.callback(self.processes.kill_all)
        self._migrate()
        self.engine = connect(self.postgres.url, pool_size=4, application="minex-bench")
        stack.callback(self.engine.dispose)
        with transaction(self.engine) as session:
            market, group = self.settings.market, self.settings.match.groups[0]
            self.stock_ids = list_stocks(session, self.symbols, market, group)
            self.traders = register_traders(session, self._brokers)
        self.tidy()

    def _migrate(self) -> None:
        process = self.processes.start_module("migrate", "cli", "migrate", "--no-demo")
        if process.popen.wait() != 0:
            raise RuntimeError(f"minex migrate failed:\n{process.log.read_text(encoding='utf-8')}")

    def tidy(self) -> None:
        """VACUUM ANALYZE and a checkpoint, so that no load pays for what came before it."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
            connection.execute(text("CHECKPOINT"))

    def open(self, *names: str) -> None:
        """Start these processes (default: WHOLE); a whole exchange must also say that it is up.

        A reporter comes to the end of a long past first, so that no load pays for that.
        """
        wanted = names or WHOLE
        for name in wanted:
            self.processes.start(name)
        enough = {"up"} if {*WHOLE} <= {*wanted} else {"up", "degraded", "down"}
        try:
            until(lambda: self._health() in enough, "the exchange is up")
            if "reporter" in wanted:
                until(lambda: self.scalar(BEHIND) == 0, "the reporter has caught up", CATCH_UP_SECONDS)
        except TimeoutError as error:
            logs = [
                f"{process.log.name}:\n{process.log.read_text(errors='replace')[-1000:]}"
                for process in self.processes.processes
            ]
            raise TimeoutError("\n".join([str(error), *logs])) from error

    def _health(self) -> str:
        for process in self.processes.processes:
            if process.name in WHOLE and process.popen.poll() is not None:
                raise RuntimeError(f"{process.name} ended:\n{process.log.read_text(errors='replace')[-1000:]}")
        return str(requests.get(f"{self.url}/health", timeout=5).json()["status"])

    def scalar(self, sql: str, **values: Any) -> Any:
        """One value from the database."""
        with self.engine.connect() as connection:
            return connection.execute(text(sql), values).scalar()

    def rows(self, sql: str, **values: Any) -> list[Any]:
        """The rows of a query."""
        with self.engine.connect() as connection:
            return list(connection.execute(text(sql), values))

    def latest_command(self) -> int:
        """The highest id in the inbox: what a load brings has higher ones."""
        return int(self.scalar("SELECT coalesce(max(id), 0) FROM commands"))

    def backlog(self) -> int:
        """Commands that nobody has matched yet."""
        return int(self.scalar("SELECT count(*) FROM commands WHERE sequence IS NULL"))

    def drain(self, seconds: float = 120) -> float:
        """Seconds until the backlog is zero. Raises TimeoutError."""
        began = time.monotonic()
        until(lambda: self.backlog() == 0, "the backlog is matched", seconds)
        return time.monotonic() - began

    def verified(self) -> Report:
        """The report of `minex verify --replay`."""
        with transaction(self.engine) as session:
            return verify(session, replay=True)

    def proof(self, part: str, load: str) -> Iterator[Figure]:
        """True if the figures of a load count: nothing is left unmatched, and everything that must be true is.

        The clock asks for expiries and cancels at any moment, also after a load: what counts is what stays.
        """
        with contextlib.suppress(TimeoutError):
            self.drain(STAYS_SECONDS)
        yield Figure(part, f"{load}: orders left unmatched", self.backlog(), "", at_most(0), vital=True)
        report = self.verified()
        first = next((f"{check.title}: {check.findings[0]}" for check in report.checks if check.findings), "clean")
        seconds = sum(check.seconds for check in report.checks)
        remark = f"{first}, in {seconds:.1f} s"
        yield Figure(part, f"{load}: verify --replay", report.broken, "findings", at_most(0), remark, vital=True)


def until(condition: Callable[[], Any], what: str, seconds: float = 60.0, every: float = 0.05) -> None:
    """Wait for something to become true, looking `every` so many seconds. Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(requests.ConnectionError):
            if condition():
                return
        time.sleep(every)
    raise TimeoutError(f"never happened: {what}")
