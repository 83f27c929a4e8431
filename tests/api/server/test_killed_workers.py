"""Web workers that are stopped and killed while orders are stored: none is stored twice, none acknowledged is lost."""

from __future__ import annotations

import itertools
import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
import requests

from tests.api.server.running import Server
from tests.api.venue import ADMIN_KEY, an_order

KILLS = int(os.environ.get("KILLS", "8"))
"""A thousand, when somebody has the time: a worker takes a second or two to start."""

CLIENTS = 6
ACKNOWLEDGED, UNKNOWN, REFUSED, NO_ANSWER = "acknowledged", "unknown", "nothing was done", "no answer"


@dataclass
class Shop:
    """Clients who place orders, each with a quantity that no other has, and what they were told."""

    url: str
    key: str
    told: dict[int, str] = field(default_factory=dict)
    unexpected: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def order(self, number: int) -> str:
        """What came of the order; every other one has a client_order_id."""
        more: dict[str, Any] = {"client_order_id": f"k{number}"} if number % 2 else {}
        headers = {"Authorization": f"Bearer {self.key}"}
        try:
            answer = requests.post(
                f"{self.url}/orders", json=an_order("bid", "KILLS", number, 1, **more), headers=headers, timeout=20
            )
        except requests.RequestException:
            time.sleep(0.05)
            return NO_ANSWER
        if answer.status_code in (200, 201):
            return ACKNOWLEDGED
        code = answer.json()["code"]
        if answer.status_code != 503:
            self.unexpected.append(answer.text)
        return UNKNOWN if code == "outcome_unknown" else REFUSED

    def wait_for_more(self, orders: int) -> None:
        """Wait until so many orders more have been answered."""
        wanted, until = len(self.told) + orders, time.monotonic() + 20
        while len(self.told) < wanted:
            assert time.monotonic() < until, "no order is answered any more"
            time.sleep(0.001)

    def run(self) -> None:
        """Place orders until it is over."""
        while not self.over.is_set():
            number = next(self.numbers)
            self.told[number] = self.order(number)


def term(server: Server, chance: random.Random) -> None:
    """An operator's stop, at one worker."""
    os.kill(chance.choice(server.workers()), signal.SIGTERM)


def kill(server: Server, chance: random.Random) -> None:
    """An end without a word, at one worker."""
    os.kill(chance.choice(server.workers()), signal.SIGKILL)


def reload(server: Server, chance: random.Random) -> None:
    """A reload: all workers are replaced."""
    server.process.send_signal(signal.SIGHUP)


def fewer(server: Server, chance: random.Random) -> None:
    """One worker less, and one more."""
    server.process.send_signal(signal.SIGTTOU)
    time.sleep(0.2)
    server.process.send_signal(signal.SIGTTIN)


ENDS = (term, reload, kill, fewer)


@contextmanager
def commits_held(url: str, seconds: float) -> Iterator[None]:
    """Commits wait in the block, and for so long after it: 3 is longer than a worker is given to stop."""
    with psycopg.connect(url) as connection:
        connection.execute("SELECT 1 FROM balances FOR UPDATE")
        time.sleep(min(seconds, 0.1))
        yield
        time.sleep(seconds)


@pytest.fixture(scope="module")
def shop(database_url: str, redis_url: str) -> Iterator[Shop]:
    """Orders, and worker after worker that ends amid them; then all is quiet."""
    server = Server(database_url, redis_url, workers=2, graceful_seconds=0)
    server.wait_until_it_answers()
    url = f"http://127.0.0.1:{server.port}/api/v1"
    admin = {"Authorization": f"Bearer {ADMIN_KEY}"}
    requests.post(f"{url}/stocks", json={"symbol": "KILLS"}, headers=admin, timeout=10)
    broker = requests.post(f"{url}/register", json={"name": "K", "cash": 10**15}, headers=admin, timeout=10).json()
    shop, chance = Shop(url, broker["api_key"]), random.Random(11)
    threads = [threading.Thread(target=shop.run) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        for number in range(KILLS):
            shop.wait_for_more(chance.randrange(1, 40))
            end = ENDS[number % len(ENDS)]
            with suppress(ProcessLookupError, IndexError), commits_held(database_url, chance.choice((0, 0.02, 3))):
                end(server, chance)
        server.wait_until_it_answers()
    finally:
        shop.over.set()
        for thread in threads:
            thread.join()
    yield shop
    server.stop()


@pytest.fixture(scope="module")
def stored(shop: Shop, database_url: str) -> Counter[int]:
    """How often each order is stored."""
    with psycopg.connect(database_url) as connection:
        return Counter(quantity for (quantity,) in connection.execute("SELECT quantity FROM orders"))


def with_answer(shop: Shop, answer: str) -> list[int]:
    """The orders of which this was told."""
    return [number for number, told in shop.told.items() if told == answer]


def test_no_order_is_stored_twice(stored: Counter[int]) -> None:
    assert [number for number, times in stored.items() if times > 1] == []


def test_every_order_that_was_acknowledged_is_stored(shop: Shop, stored: Counter[int]) -> None:
    acknowledged = with_answer(shop, ACKNOWLEDGED)
    assert len(acknowledged) > 10 * CLIENTS
    assert [number for number in acknowledged if not stored[number]] == []


def test_where_nothing_was_done_nothing_is_stored(shop: Shop, stored: Counter[int]) -> None:
    assert [number for number in with_answer(shop, REFUSED) if stored[number]] == []


def test_some_were_ended_amid_their_commit_and_told_so(shop: Shop) -> None:
    assert with_answer(shop, UNKNOWN)
    assert shop.unexpected == []


def test_who_asks_again_with_the_same_client_order_id_has_one_order(shop: Shop, database_url: str) -> None:
    doubtful = [number for number in with_answer(shop, UNKNOWN) + with_answer(shop, NO_ANSWER) if number % 2]
    assert [number for number in doubtful if shop.order(number) != ACKNOWLEDGED] == []
    with psycopg.connect(database_url) as connection:
        stored = Counter(quantity for (quantity,) in connection.execute("SELECT quantity FROM orders"))
    assert [number for number in doubtful if stored[number] != 1] == []
