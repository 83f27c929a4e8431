"""The REST application on real servers, in the test's own process; the book is matched when a story says so."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from sqlalchemy import text
from werkzeug.test import TestResponse

from api.app import create_app
from api.components import EXTENSION, Components
from database.session import connect, transaction
from queues.bus import Bus
from queues.connection import connect as connect_redis
from services.clearing.judge import judge_tapes
from settings.clearing import Clearing
from settings.sections import Settings
from tests.api.description import Description
from tests.roles import as_role, three_roles
from workers.database import connect_worker
from workers.matcher import Matcher

ADMIN_KEY = "mxadmin_of_the_tests"
TOKEN_SECRET = "token_secret_of_the_tests_only_0123456789"
PASSWORD = "six grey geese on a lake"
REFERENCE = 3_500
"""Cents: what a stock is listed at unless a story says otherwise."""

numbers = itertools.count(1)


def settings_for(database_url: str, redis_url: str, **sections: dict[str, Any]) -> Settings:
    """Settings of a sandbox with an admin key; `sections` change some."""
    changes: dict[str, dict[str, Any]] = {
        "exchange": {"admin_key": ADMIN_KEY, "debug": True},
        "database": dict(three_roles(database_url)),
        "redis": {"url": redis_url, "timeout_ms": 5_000},
        "web": {"key_cache_ms": 0, "cancel_wait_ms": 300},
        "identity": {"signup": True, "token_secret": TOKEN_SECRET},
    }
    for name, section in sections.items():
        changes.setdefault(name, {}).update(section)
    settings = Settings()
    return replace(settings, **{name: replace(getattr(settings, name), **values) for name, values in changes.items()})


class Venue:
    """The application, and what a story needs around it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.app = create_app(settings)
        self.engine = connect(as_role(settings.database.url), pool_size=2, application="minex-test")
        self.matcher = Matcher(connect_worker(settings), Bus(connect_redis(settings.redis)), settings, 1000)
        self.symbols: list[str] = []
        self.admin = Caller(self, ADMIN_KEY)
        self.nobody = Caller(self, None)

    def list(self, reference_price: int | None = REFERENCE, **rules: Any) -> str:
        """List a stock; its symbol."""
        symbol = rules.pop("symbol", f"STK{next(numbers)}")
        body = {"symbol": symbol, "reference_price": reference_price, **rules}
        assert self.admin.post("/stocks", body).status_code == 201
        self.symbols.append(symbol)
        return symbol

    def broker(self, cash: int = 100_000_000, shares: dict[str, int] | None = None, **more: Any) -> Caller:
        """Register a broker with `cash` (cents) and `shares` by symbol."""
        body = {"name": f"Broker {next(numbers)}", "cash": cash, "positions": shares or {}, **more}
        answer = self.admin.post("/register", body)
        assert answer.status_code == 201, answer.json
        return Caller(self, answer.json["api_key"], answer.json["broker_id"])

    def person(
        self,
        role: str = "trader",
        broker: Caller | None = None,
        username: str | None = None,
        password: str = PASSWORD,
    ) -> Caller:
        """Let a person in, log it in, and act with its access token; a trader gets a broker if none is given."""
        username = username or f"person-{next(numbers)}"
        broker_id = broker.broker_id if broker else self.broker().broker_id if role == "trader" else None
        body = {"username": username, "password": password, "role": role, "broker_id": broker_id}
        answer = self.admin.post("/users", body)
        assert answer.status_code == 201, answer.text
        person = Caller(self, None, broker_id or 0, answer.json["user_id"], username)
        person.log_in(password)
        return person

    def judge(self, notional_above: int) -> None:
        """Judge every trade that was not judged before: those of more cents than this are flagged."""
        with transaction(self.engine) as session:
            judge_tapes(session, Clearing(notional_above=notional_above, same_document="off"))

    def match(self) -> None:
        """Take one turn over all stocks."""
        self.matcher.run_once(self.symbols)

    @contextlib.contextmanager
    def matching(self) -> Iterator[None]:
        """Match all the time, as a worker would; who waits for the book waits as long as a busy machine needs."""
        web, stopped = self.settings.web, threading.Event()
        kept = web.cancel_wait_ms
        object.__setattr__(web, "cancel_wait_ms", 10_000)  # the settings of this venue alone

        def run() -> None:
            while not stopped.wait(0.005):
                self.match()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()
            object.__setattr__(web, "cancel_wait_ms", kept)

    @contextlib.contextmanager
    def once_waiting(self, kind: str, action: Callable[[], None]) -> Iterator[None]:
        """Do `action` beside the block, as soon as a command of that kind waits in some inbox."""
        waiting = "SELECT count(*) FROM commands WHERE sequence IS NULL AND kind = :kind"
        left = threading.Event()

        def act() -> None:
            while not self.scalar(waiting, kind=kind) and not left.wait(0.01):
                continue
            action()

        thread = threading.Thread(target=act)
        thread.start()
        try:
            yield
        finally:
            left.set()
            thread.join()

    def run(self, statement: str, **values: Any) -> None:
        """Change the database behind everybody's back."""
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def scalar(self, statement: str, **values: Any) -> Any:
        """One value from the database."""
        with self.engine.connect() as connection:
            return connection.execute(text(statement), values).scalar()

    @cached_property
    def description(self) -> Description:
        """What the OpenAPI document says."""
        return Description(self.app.test_client().get("/api/v1/openapi.json").json)

    @cached_property
    def error_page(self) -> str:
        """What `/docs/errors` says."""
        return self.app.test_client().get("/docs/errors").text

    @property
    def components(self) -> Components:
        """What the views work with."""
        return self.app.extensions[EXTENSION]

    def close(self) -> None:
        """Let go of the servers."""
        self.components.tasks.stop()
        self.components.database.close()
        self.components.replies.close()
        self.engine.dispose()
        self.matcher.engine.dispose()


@dataclass
class Caller:
    """Somebody with a key, or without one. Each answer is held to what the OpenAPI document says of it."""

    venue: Venue
    key: str | None
    broker_id: int = 0
    user_id: int = 0
    username: str = ""

    def call(self, method: str, path: str, **request: Any) -> TestResponse:
        """One request to /api/v1."""
        headers = {**({"Authorization": f"Bearer {self.key}"} if self.key else {}), **request.pop("headers", {})}
        client = self.venue.app.test_client()
        answer = client.open(f"/api/v1{path}", method=method, headers=headers, **request)
        check_documented(self.venue, answer, request.get("json"))
        return answer

    def log_in(self, password: str = PASSWORD) -> TestResponse:
        """Log in, and act with that access token from now on."""
        answer = self.venue.nobody.post("/token", {"username": self.username, "password": password})
        assert answer.status_code == 200, answer.text
        self.key = answer.json["access_token"]
        return answer

    def get(self, path: str, **query: Any) -> Any:
        """The body of a GET that succeeds."""
        answer = self.call("GET", path, query_string=query)
        assert answer.status_code == 200, answer.text
        return answer.json

    def post(self, path: str, body: Any = None, **headers: str) -> TestResponse:
        """POST a JSON body; header names with underscores."""
        return self.call("POST", path, json=body, headers=_named(headers))

    def put(self, path: str, body: Any, **headers: str) -> TestResponse:
        """PUT a JSON body."""
        return self.call("PUT", path, json=body, headers=_named(headers))

    def delete(self, path: str, **headers: str) -> TestResponse:
        """DELETE."""
        return self.call("DELETE", path, headers=_named(headers))

    def order(self, side: str, symbol: str, quantity: int, price: int | None, **more: Any) -> int:
        """Place an order that is accepted; its id."""
        answer = self.post("/orders", an_order(side, symbol, quantity, price, **more))
        assert answer.status_code == 201, answer.text
        return answer.json["order_id"]


def an_order(
    side: str = "bid", symbol: str = "STK", quantity: int = 100, price: int | None = REFERENCE, **more: Any
) -> dict[str, Any]:
    """The body of an order, valid unless told otherwise."""
    body = {"document_number": "11144477735", "side": side, "symbol": symbol, "quantity": quantity, **more}
    return body if price is None else {**body, "price": price}


def check_documented(venue: Venue, answer: TestResponse, sent: Any) -> None:
    """The answer is as the OpenAPI document says, and so is what was sent, if it was accepted."""
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    venue.description.check(venue.app.url_map, answer, sent)
    if answer.mimetype == "application/problem+json":
        check_problem(venue, answer)


def check_problem(venue: Venue, answer: TestResponse) -> None:
    """RFC 9457, with our members, and a code that the page of error codes explains."""
    problem = answer.json
    assert problem["status"] == answer.status_code
    assert problem["type"] == f"/docs/errors#{problem['code']}"
    assert problem["title"]
    assert problem["detail"] not in ("", problem["title"])
    assert f'<tr id="{problem["code"]}">' in venue.error_page
    assert isinstance(problem["errors"], dict)
    assert problem["request_id"] == answer.headers["X-Request-ID"]
    assert "Traceback" not in answer.text


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
