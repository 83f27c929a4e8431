"""An exchange with clearing, and people who decide."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from client import Exchange
from tests.flows.exchange import PATIENCE, RunningExchange, until
from tests.flows.webhooks.receivers import start_sending

ADMIN_KEY = "mxadmin_of_the_stories_of_clearing"
PASSWORD = "six grey geese on a lake"
RULES = {
    "MINEX_ADMIN_KEY": ADMIN_KEY,
    "MINEX_WEBHOOKS_ALLOW_PRIVATE": "true",
    "MINEX_CLEARING_SAME_DOCUMENT": "off",
    "MINEX_CLEARING_QUANTITY_ABOVE": "1000",
    "MINEX_CLEARING_NOTIONAL_ABOVE": "0",
    "MINEX_CLEARING_SIZE": "bust",
    "MINEX_CLEARING_SECOND_PERSON_ABOVE": "100000000000000",
}
"""The rules of these stories: what is too large is busted, and one person is enough."""

numbers = iter(range(10**6))


@pytest.fixture(scope="module")
def exchange(settings: Any, own_valkey: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningExchange]:
    """Every process."""
    running = RunningExchange(settings, tmp_path_factory.mktemp("exchange"), own_valkey.urls)
    try:
        running.list("PETR4")
        for name in ("web", "live", "match", "clock", "reporter"):
            running.start(name, **RULES)
        running.start("clearing", **RULES)
        start_sending(running)
        until(lambda: running.trusted().call("GET", "/balance").status_code == 200, "web answers")
        yield running
    finally:
        running.close()


@pytest.fixture
def admin(exchange: RunningExchange) -> Exchange:
    return Exchange(exchange.base, ADMIN_KEY)


@pytest.fixture
def person(exchange: RunningExchange, admin: Exchange) -> Callable[[], Exchange]:
    def log_in() -> Exchange:
        username = f"person{next(numbers)}"
        admin.let_in(username, PASSWORD, "clearing")
        body = {"username": username, "password": PASSWORD}
        answer = requests.post(f"{exchange.base}/api/v1/token", json=body, timeout=PATIENCE)
        return Exchange(exchange.base, answer.json()["access_token"])

    return log_in
