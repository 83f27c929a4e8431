"""Whole exchanges for the stories."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import redis

from embedded.valkey import ValkeyServer
from settings.sections import Settings
from tests.flows.exchange import RunningExchange
from tests.flows.webhooks.receivers import Hooked
from tests.roles import with_roles


@pytest.fixture(scope="module")
def own_valkey(make_server_folder: Callable[[], Path]) -> Iterator[ValkeyServer]:
    """A Valkey that the module may kill. Nobody may have asked it for what his user may not do."""
    with ValkeyServer(make_server_folder()) as server:
        yield server
        with redis.Redis.from_url(server.url) as operator:
            assert operator.acl_log() == []


@pytest.fixture(scope="module")
def settings(database_url: str, own_valkey: ValkeyServer) -> Settings:
    """Settings with quick fault handling, so that stories about faults stay short."""
    base = Settings()
    return replace(
        with_roles(base, database_url),
        redis=replace(base.redis, url=own_valkey.url, timeout_ms=500),
        match=replace(base.match, idle_in_transaction_ms=1_000),
        clock=replace(base.clock, interval_ms=100, sweep_after_ms=500),
    )


@pytest.fixture(scope="module")
def exchange(
    settings: Settings, own_valkey: ValkeyServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningExchange]:
    """Every process of the exchange, as its own user of Redis, open for business with PETR4 listed at 35.00."""
    running = RunningExchange(settings, tmp_path_factory.mktemp("exchange"), own_valkey.urls)
    try:
        running.list("PETR4")
        running.open()
        yield running
    finally:
        running.close()


@pytest.fixture
def connections(exchange: RunningExchange) -> Callable[[], list[str]]:
    """The states of the TCP connections of the Socket.IO processes that somebody else began."""
    root = psutil.Process(exchange.process("live").popen.pid)

    def states() -> list[str]:
        here = exchange.settings.live.port
        return [
            connection.status
            for process in [root, *root.children(recursive=True)]
            for connection in process.net_connections("tcp")
            if connection.laddr.port == here and connection.status != psutil.CONN_LISTEN
        ]

    return states


@pytest.fixture
def hooked(exchange: RunningExchange) -> Iterator[Callable[[], Hooked]]:
    """Makes brokers that are told of their trades by a receiver of their own."""
    made: list[Hooked] = []

    def make() -> Hooked:
        made.append(Hooked(exchange.trusted()))
        return made[-1]

    yield make
    for one in made:
        one.broker.call("DELETE", "/webhook")
        one.server.close()
