"""An exchange that tells brokers' receivers, and receivers that behave as a story wants."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from services.webhooks.signing import verify
from tests.flows.exchange import Broker, RunningExchange, until
from tests.workers.sending.web_server import OK, Request, WebServer
from workers.sending.telling import ALONE

SCHEDULE = "0.2,0.4,0.6,0.8,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1"


def start_sending(exchange: RunningExchange, **more: str) -> None:
    rules = {"ALLOW_PRIVATE": "true", "SCHEDULE": SCHEDULE, "TIMEOUT_MS": "1000", "CONNECTIONS": "16", **more}
    exchange.start("webhooks", **{f"MINEX_WEBHOOKS_{name}": value for name, value in rules.items()})


@dataclass
class Hooked:
    """A broker, and the receiver that it is told at."""

    broker: Broker
    server: WebServer = field(default_factory=WebServer)
    secret: str = ""

    def __post_init__(self) -> None:
        self.server.answer = self._answer
        self.behave: Callable[[Request], bytes] = lambda request: OK
        self.taken: list[dict[str, Any]] = []
        """What was answered well, in the order in which it came; each was verified."""
        self.ahead: list[int] = []
        """Numbers of those that came alone, out of their order."""
        answer = self.broker.call("PUT", "/webhook", {"url": self.server.url()})
        assert answer.status_code == 200, answer.text
        self.secret = answer.json()["secret"] or self.secret

    def _answer(self, connection: Any, request: Request) -> bool:
        verify(self.secret, request.headers, request.body)
        answer = self.behave(request)
        if answer.startswith(b"HTTP/1.1 2"):
            body = json.loads(request.body)
            self.taken.append(body)
            if request.headers.get(ALONE) == "true":
                self.ahead.append(body["sequence"])
        connection.sendall(answer)
        return bool(answer)

    def waiting(self) -> int:
        """How many deliveries are not delivered yet."""
        return int(self.broker.get("/webhook")["waiting"])

    def caught_up(self, fills: int, seconds: float = 30.0) -> None:
        """Wait until all of so many fills are delivered, and look at what was."""
        until(
            lambda: len({body["sequence"] for body in self.taken}) == fills and not self.waiting(),
            "all is told",
            seconds,
        )
        firsts = dict.fromkeys(body["sequence"] for body in self.taken)  # a killed sender's successor repeats some
        in_order = [sequence for sequence in firsts if sequence not in self.ahead]
        assert in_order == sorted(in_order), "in order but for what was set aside"
        assert {body["sequence"] for body in self.taken} == set(range(1, fills + 1))
        told = {(body["trade_id"], body["order_id"], body["account_sequence"]) for body in self.taken}
        trades = self.broker.get("/trades?limit=500")["items"]
        assert told == {(trade["trade_id"], trade["order_id"], trade["account_sequence"]) for trade in trades}


def trade(exchange: RunningExchange, *sides: Hooked, times: int) -> None:
    """Each of these buys one share `times` times, one after the other."""
    seller = exchange.trusted()
    seller.order("ask", times * len(sides), 3_500)
    for _ in range(times):
        for one in sides:
            one.broker.order("bid", 1, 3_500)
    exchange.settle()
