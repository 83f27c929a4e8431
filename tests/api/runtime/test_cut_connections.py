"""Given connections that are cut again and again, then every answer is right, or says that it may be asked again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from tests.api.venue import Caller, Venue, an_order

MAY_BE_ASKED_AGAIN = {"busy", "outcome_unknown"}

CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name IN ('minex-web', 'minex-intake', 'minex-writer')
"""


class Storm:
    """Cuts every connection of the API, as fast as it can."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.cut = 0

    def _run(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._over.wait(0.001):
                self.cut += len(connection.execute(CUT).fetchall())

    def __enter__(self) -> Storm:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def requests_of(broker: Caller, stock: str, order: int) -> dict[str, Callable[[int], Any]]:
    """One of each kind that reaches PostgreSQL its own way."""
    quick = {"Prefer": "respond-async"}
    return {
        "place": lambda n: broker.post("/orders", an_order("bid", stock, 1, client_order_id=f"storm-{n}")),
        "batch": lambda n: broker.post("/orders/batch", {"orders": [an_order("bid", stock, 1)] * 3}),
        "amend": lambda n: broker.put(f"/orders/{order}", {"quantity": 10 + n % 7}, **quick),
        "cancel": lambda n: broker.delete("/orders/999999999", **quick),
        "cancel all": lambda n: broker.delete("/orders?symbol=NONE", **quick),
        "read": lambda n: broker.call("GET", f"/orders/{order}"),
        "list": lambda n: broker.call("GET", "/orders"),
        "balance": lambda n: broker.call("GET", "/balance"),
        "book": lambda n: broker.call("GET", f"/stocks/{stock}/book"),
        "register": lambda n: broker.venue.admin.post("/register", {"name": f"Storm {n}"}),
        "health": lambda n: broker.call("GET", "/health"),
        "ready": lambda n: broker.call("GET", "/ready"),
    }


@pytest.fixture
def stormy(venue: Venue) -> tuple[Caller, str, int]:
    stock, broker = venue.list(), venue.broker(cash=10**12)
    return broker, stock, broker.order("bid", stock, 10, 3_500)


def test_no_answer_is_an_internal_error(venue: Venue, stormy: tuple[Caller, str, int], database_url: str) -> None:
    answers: Counter[tuple[str, int, str]] = Counter()

    def ask(n: int) -> None:
        for name, request in requests_of(*stormy).items():
            answer = request(n)
            code = answer.json.get("code", "") if answer.status_code >= 400 else ""
            answers[name, answer.status_code, code] += 1

    with Storm(database_url) as storm, ThreadPoolExecutor(6) as pool:
        list(pool.map(ask, range(60)))
    assert storm.cut > 50
    wrong = {key: count for key, count in answers.items() if key[1] >= 500 and key[2] not in MAY_BE_ASKED_AGAIN}
    assert {key: count for key, count in wrong.items() if key[0] != "health"} == {}
    assert {status for name, status, _ in answers if name == "health"} <= {200, 503}
