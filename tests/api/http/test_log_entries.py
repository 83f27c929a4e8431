"""What is logged while a request is handled says of which request it is."""

from __future__ import annotations

import contextlib
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from flask import Flask
from gevent.event import Event

from api.http import errors, middleware
from api.http.calls import Shared
from api.http.direct_routes import DirectRoutes
from api.trading import orders as orders_views
from logs import JsonLines, TextLines
from settings.sections import Settings
from tests.api.venue import Venue

library = logging.getLogger("sqlalchemy.pool")


@pytest.fixture
def app() -> Flask:
    """All that every request passes, before one view that breaks."""
    app = Flask("stories")
    middleware.init_app(app, Shared(None, Settings().web, lambda: None), DirectRoutes({}))
    errors.init_app(app)

    @app.post("/breaks/<path:rest>")
    def breaks(rest: str) -> str:
        library.warning("a connection is lost")
        raise RuntimeError(rest)

    return app


@contextlib.contextmanager
def listening(form: logging.Formatter) -> Iterator[io.StringIO]:
    """In the block, what is logged is also written here."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(form)
    logging.getLogger().addHandler(handler)
    try:
        yield written
    finally:
        logging.getLogger().removeHandler(handler)


def entries(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_ours_and_those_of_libraries_carry_it(app: Flask) -> None:
    with listening(JsonLines()) as written:
        answer = app.test_client().post("/breaks/it", headers={"X-Request-ID": "find-me"})
    assert answer.status_code == 500
    found = entries(written)
    assert [entry["logger"] for entry in found] == ["sqlalchemy.pool", "api.http.errors"]
    for entry in found:
        assert (entry["request_id"], entry["method"], entry["path"]) == ("find-me", "POST", "/breaks/it")
    assert "RuntimeError: it" in found[1]["trace"]


def test_nothing_of_it_remains(app: Flask) -> None:
    client = app.test_client()
    with listening(JsonLines()) as written:
        client.post("/breaks/one", headers={"X-Request-ID": "one"})
        library.warning("between")
        client.post("/breaks/two")
    first, _, between, *second = entries(written)
    assert first["request_id"] == "one"
    assert [*between] == ["time", "level", "logger", "message"]
    assert {(len(entry["request_id"]), entry["path"]) for entry in second} == {(32, "/breaks/two")}


def test_requests_at_the_same_time_do_not_mix(app: Flask) -> None:
    both_are_here, waiting = Event(), []

    @app.get("/waits/<name>")
    def waits(name: str) -> str:
        waiting.append(name)
        if len(waiting) == 2:
            both_are_here.set()
        both_are_here.wait(10)
        library.warning("%s goes on", name)
        return name

    def ask(name: str) -> None:
        app.test_client().get(f"/waits/{name}", headers={"X-Request-ID": name})

    with listening(JsonLines()) as written:
        gevent.joinall([gevent.spawn(ask, "one"), gevent.spawn(ask, "two")], raise_error=True)
    found = {entry["request_id"]: entry["message"] for entry in entries(written)}
    assert found == {"one": "one goes on", "two": "two goes on"}


@pytest.mark.parametrize("forged", ["\x1b[31m", "a\tb", "\x9b31m", "a\nERROR b"])
def test_an_id_or_a_path_cannot_forge_a_line(app: Flask, forged: str) -> None:
    @app.before_request
    def say() -> None:
        library.warning("here")

    offered = {"HTTP_X_REQUEST_ID": forged, "PATH_INFO": f"/{forged}"}
    with listening(TextLines()) as text, listening(JsonLines()) as written:
        app.test_client().get("/", environ_overrides=offered)
    (line,) = text.getvalue().splitlines()
    assert line.isprintable()
    (entry,) = entries(written)
    assert entry["path"] == f"/{forged}"
    assert f" [request_id={entry['request_id']}]" in line
    assert len(entry["request_id"]) == 32


def test_the_broker_is_named_once_it_is_known(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr(orders_views, "read_order", fail)
    brokers = [venue.broker(), venue.broker()]
    with listening(JsonLines()) as written:
        for broker in brokers:
            broker.call("GET", "/orders/1")
        library.warning("after them")
    assert [entry.get("broker_id") for entry in entries(written)] == [*(broker.broker_id for broker in brokers), None]
