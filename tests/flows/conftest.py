"""Whole exchanges for the stories."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from embedded.valkey import ValkeyServer
from settings.sections import Settings
from tests.flows.exchange import RunningExchange


@pytest.fixture(scope="module")
def own_valkey(make_server_folder: Callable[[], Path]) -> Iterator[ValkeyServer]:
    """A Valkey that the module may kill."""
    with ValkeyServer(make_server_folder()) as server:
        yield server


@pytest.fixture(scope="module")
def settings(database_url: str, own_valkey: ValkeyServer) -> Settings:
    """Settings with quick fault handling, so that stories about faults stay short."""
    base = Settings()
    return replace(
        base,
        database=replace(base.database, url=database_url),
        redis=replace(base.redis, url=own_valkey.url, timeout_ms=500),
        match=replace(base.match, idle_in_transaction_ms=1_000),
        clock=replace(base.clock, interval_ms=100, sweep_after_ms=500),
    )


@pytest.fixture(scope="module")
def exchange(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningExchange]:
    """Every process of the exchange, open for business with PETR4 listed at 35.00."""
    running = RunningExchange(settings, tmp_path_factory.mktemp("exchange"))
    try:
        running.list("PETR4")
        running.open()
        yield running
    finally:
        running.close()
