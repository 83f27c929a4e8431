"""The exchange describes its operations; the client has a call for each."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from api.app import create_app
from client import Exchange
from settings.sections import Database, Redis, Settings

NOT_FOR_PROGRAMS = {"GET /healthcheck", "GET /ready", "POST /orders/{}/cancel"}
"""What load balancers ask, and another way to cancel."""

VALUES = {
    "side": "buy", "symbol": "PETR4", "quantity": 1, "price": 1, "order_id": 7, "client_order_id": "mine", "seconds": 1,
    "key_id": 7, "delivery_id": 7, "broker_id": 7, "session_id": 7, "user_id": 7, "name": "x", "scopes": ["read"],
    "url": "https://x.example/", "username": "x", "password": "x", "reference": "x", "state": "halted", "role": "admin",
    "current": "x", "new": "y", "bodies": [], "after": 0, "trade_id": 7,
}  # fmt: skip
LOCAL = {"order_body", "close", "stream", "live_url"}


class Recorder:
    """Stands in for the transport: it notes what is asked, and answers with whatever is looked for."""

    url, timeout, key = "http://127.0.0.1:1", 0.1, "k"

    def __init__(self) -> None:
        self.asked: set[str] = set()
        self.heard = False

    def call(self, method: str, path: str, *_: Any, **__: Any) -> Any:
        self.heard = True
        self.asked.add(f"{method} {re.sub(r'/(7|PETR4|mine)(?=/|$)', '/{}', path)}")
        raise LookupError

    def new_patience(self) -> None:
        """Nothing is waited for."""

    def get(self, path: str, **_: Any) -> Any:
        return self.call("GET", path)

    def items(self, path: str, *_: Any, **__: Any) -> Iterator[Any]:
        yield self.call("GET", path)


@pytest.fixture
def described() -> Iterator[set[str]]:
    settings = Settings(database=Database(url="postgresql://x@127.0.0.1:1/x"), redis=Redis(url="redis://127.0.0.1:1/0"))
    app = create_app(settings)
    document = app.test_client().get("/api/v1/openapi.json").json
    assert document is not None
    yield {
        f"{method.upper()} {re.sub(r'{[^}]*}', '{}', path.removeprefix('/api/v1'))}"
        for path, item in document["paths"].items()
        for method in item.keys() - {"parameters"}
    }
    app.extensions["minex"].tasks.stop()


def test_every_operation_has_a_call_and_every_call_an_operation(
    described: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    exchange, recorder = Exchange("http://127.0.0.1:1"), Recorder()
    exchange.transport = recorder  # type: ignore[assignment]

    def posted(url: str, **_: Any) -> Any:
        return recorder.call("POST", url.partition("/api/v1")[2])

    monkeypatch.setattr("client.people.requests.post", posted)
    for name, _ in inspect.getmembers(Exchange, inspect.isfunction):
        if name.startswith("_") or name in LOCAL:
            continue
        call = getattr(exchange, name)
        parameters = inspect.signature(call).parameters.values()
        needed = [one.name for one in parameters if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD]
        recorder.heard = False
        with suppress(LookupError):
            list(call(*(VALUES[one] for one in needed)))
        assert recorder.heard, f"{name} asks nothing"
    assert described - recorder.asked == NOT_FOR_PROGRAMS
    assert recorder.asked - described == set()
