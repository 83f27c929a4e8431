"""A whole exchange of real processes for one test module."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import engineio
import requests
import socketio
from sqlalchemy import text

from database.session import connect, transaction
from embedded.run import RunProcess, RunProcesses
from machine.ports import random_free_port
from services.identity.register import register_broker
from services.stocks.listing import list_stock
from services.verify import verify
from settings.sections import Settings
from tests.roles import as_role

PATIENCE = 30.0
"""Seconds that anything may take on a busy machine; nothing waits longer than it needs."""


def until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """What `condition` gives as soon as it gives something true."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(requests.ConnectionError, requests.Timeout):
            found = condition()
            if found:
                return found
        time.sleep(0.02)
    raise AssertionError(f"never happened: {what}")


def says(process: RunProcess, words: str) -> None:
    """Wait until the process has logged `words`."""
    until(lambda: words in process.log.read_text(), f"{process.name} says {words!r}")


def is_up(base: str) -> None:
    """Wait until the process at this address answers that nothing is missing."""
    until(lambda: requests.get(f"{base}/health", timeout=5).json()["status"] == "up", f"{base} is up")


@dataclass
class Broker:
    """A registered broker and its REST session."""

    broker_id: int
    api_key: str
    base: str

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """One request with this broker's key; header names are given with underscores."""
        return requests.request(
            method,
            f"{self.base}/api/v1{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.api_key}", **headers},
            timeout=PATIENCE,
        )

    def order(self, side: str, quantity: int, price: int | None, symbol: str = "PETR4", **more: Any) -> dict[str, Any]:
        """Place an order that must be accepted; the answer. `wait` (seconds) asks for the answer after matching."""
        headers = {"Prefer": f"wait={more.pop('wait')}"} if "wait" in more else {}
        body = {"document_number": f"{self.broker_id}", "side": side, "symbol": symbol, "quantity": quantity, **more}
        if price is not None:
            body["price"] = price
        answer = self.call("POST", "/orders", body, **headers)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def get(self, path: str) -> Any:
        """The body of a GET that must succeed."""
        answer = self.call("GET", path)
        assert answer.status_code == 200, answer.text
        return answer.json()


class RunningExchange:
    """REST, streams, matching, the clock and the reporter, on servers that the test provides."""

    def __init__(self, settings: Settings, folder: Path, redis_urls: Mapping[str, str] | None = None) -> None:
        port = random_free_port()
        self.settings = replace(
            settings,
            web=replace(settings.web, port=port, processes=1),
            live=replace(settings.live, port=random_free_port()),
        )
        self.base = f"http://127.0.0.1:{port}"
        self.live_base = f"http://127.0.0.1:{self.settings.live.port}"
        self.engine = connect(as_role(self.settings.database.url), pool_size=4, application="minex-test")
        self.processes = RunProcesses(self.settings, folder, redis_urls)

    def start(self, name: str, *arguments: str, **environment: str) -> RunProcess:
        """Start `minex run NAME …`; `environment` adds variables."""
        return self.processes.start(name, *arguments, **environment)

    def open(self) -> None:
        """Start every process and wait until orders can be sent."""
        for name in ("web", "live", "match", "clock", "reporter"):
            self.start(name)
        for base in (self.base, self.live_base):
            is_up(base)

    def close(self) -> None:
        """Stop what still runs."""
        self.processes.kill_all()
        self.engine.dispose()

    def process(self, name: str) -> RunProcess:
        """The latest process of that name."""
        return self.processes.latest(name)

    def list(self, symbol: str, reference_price: int | None = 3500, **rules: Any) -> None:
        """List a stock in the first group; the group worker notices by itself."""
        market = replace(self.settings.market, **rules)
        with transaction(self.engine) as session:
            list_stock(session, symbol=symbol, name=symbol, market=market, group="A", reference_price=reference_price)

    def broker(self, name: str = "Broker", **accounts: Any) -> Broker:
        """Register a broker."""
        with transaction(self.engine) as session:
            new = register_broker(session, name=name, **accounts)
        return Broker(new.broker_id, new.api_key, self.base)

    def trusted(self) -> Broker:
        """A broker that trades without prefunding."""
        return self.broker("Trusted", credit_limit=10**15, short_limit=10**12)

    def scalar(self, sql: str, **values: Any) -> Any:
        """One value from the database."""
        with self.engine.connect() as connection:
            return connection.execute(text(sql), values).scalar()

    def waiting(self) -> int:
        """Commands that nobody has matched yet."""
        return self.scalar("SELECT count(*) FROM commands WHERE sequence IS NULL")

    def settle(self) -> None:
        """Wait until every command is matched."""
        until(lambda: self.waiting() == 0, "the backlog is back to zero")

    def verify(self) -> None:
        """Everything that is always true is true, the replay of the journal included."""
        self.settle()
        with transaction(self.engine) as session:
            report = verify(session, replay=True)
        findings = [finding for check in report.checks for finding in check.findings]
        assert not findings, findings

    @contextlib.contextmanager
    def socket(self, api_key: str | None = None) -> Iterator[Listener]:
        """A connected Socket.IO client that keeps what it hears."""
        listener = Listener()
        listener.client.connect(
            self.live_base, transports=["websocket"], auth={"api_key": api_key} if api_key else None, wait_timeout=10
        )
        try:
            yield listener
        finally:
            listener.client.disconnect()


class InOrder(engineio.Client):
    """Handles packets as they come; the library's own starts a thread for each, and threads overtake each other."""

    def _trigger_event(self, *arguments: Any, **options: Any) -> Any:
        return super()._trigger_event(*arguments, **{**options, "run_async": False})

    def _reset(self) -> None:
        """What broke, or was ended by the server, is left by the library to the garbage, and so to a later test."""
        super()._reset()
        if self.ws is not None:
            self.ws.shutdown()


class OrderedClient(socketio.Client):
    """A Socket.IO client that hears everything in the order in which it came."""

    def _engineio_client_class(self) -> type[engineio.Client]:
        return InOrder


class Listener:
    """What one Socket.IO client hears, as (event, payload)."""

    def __init__(self) -> None:
        self.client = OrderedClient(reconnection=False)
        self.heard: list[tuple[str, Any]] = []
        self.client.on("*", lambda event, payload: self.heard.append((event, payload)))

    def subscribe(self, *channels: str) -> Any:
        """Subscribe; the acknowledgement."""
        return self.client.call("subscribe", {"channels": list(channels)}, timeout=10)

    def wait_for(self, event: str, count: int = 1) -> list[Any]:
        """The payloads of `event`, once there are at least `count`."""
        return until(lambda: len(found := self.of(event)) >= count and found, f"{count} × {event} in {self.heard}")

    def of(self, event: str) -> list[Any]:
        """The payloads of `event` so far."""
        return [payload for name, payload in self.heard if name == event]
