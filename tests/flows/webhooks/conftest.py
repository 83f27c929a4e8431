"""An exchange that tells brokers' receivers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.flows.exchange import RunningExchange, until
from tests.flows.webhooks.receivers import start_sending


@pytest.fixture(scope="module")
def exchange(settings: Any, own_valkey: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningExchange]:
    """Every process that matching and telling need."""
    running = RunningExchange(settings, tmp_path_factory.mktemp("exchange"), own_valkey.urls)
    try:
        running.list("PETR4")
        for name in ("web", "match", "clock"):
            running.start(name, MINEX_WEBHOOKS_ALLOW_PRIVATE="true")
        start_sending(running)
        until(lambda: running.trusted().call("GET", "/balance").status_code == 200, "web answers")
        yield running
    finally:
        running.close()
