"""Random trading of every kind: any order type, amendments, cancels, switches; and what operators do meanwhile."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import requests

from bench.world.seed import REFERENCE, Trader
from engine.rules import STP_MODES

BATCH: Final = 100
CHANGES: Final = 6
"""Single amendments and cancels that follow each batch."""

KINDS: Final = {
    "limit": 50, "day": 6, "gtd": 8, "ioc": 8, "fok": 4, "market": 6, "stop": 5, "stop_limit": 5, "iceberg": 5,
    "post_only": 3,
}  # fmt: skip
"""Of a hundred orders."""

SPREAD: Final = 120
"""Cents around the reference in which prices lie."""

PATIENCE_SECONDS: Final = 30


class Client:
    """One connection that trades for some brokers until it is stopped; `seen` counts answers by what was asked."""

    def __init__(self, url: str, symbols: Sequence[str], traders: Sequence[Trader], seed: int) -> None:
        self.url, self.symbols, self.traders = f"{url}/api/v1", symbols, traders
        self.choose = random.Random(seed)
        self.http = requests.Session()
        self.seen: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()

    def run(self, stopped: threading.Event) -> None:
        """Trade until `stopped`."""
        while not stopped.is_set():
            self.step()

    def step(self) -> None:
        """A batch of orders of one broker, some changes to what was accepted, and now and then a switch."""
        trader = self.choose.choice(self.traders)
        key = {"Authorization": f"Bearer {trader.api_key}"}
        orders = [self._order() for _ in range(BATCH)]
        answer = self._ask("orders", "POST", "/orders/batch", key, {"orders": orders})
        results = answer.json()["results"] if answer.status_code == 200 else []
        self.codes.update(result["problem"]["code"] for result in results if "problem" in result)
        self.seen["accepted"] += sum("order" in result for result in results)
        placed = [result["order"]["order_id"] for result in results if "order" in result]
        for order_id in self.choose.sample(placed, min(CHANGES, len(placed))):
            self._change(order_id, key)
        if self.choose.random() < 0.05:
            side = self.choose.choice(("?side=bid", "?side=ask", f"?symbol={self._symbol()}", ""))
            self._ask("mass cancels", "DELETE", f"/orders{side}", key)
        if self.choose.random() < 0.05:
            self._ask("switches", "POST", "/orders/cancel-after", key, {"seconds": self.choose.choice((0, 1, 60))})

    def _change(self, order_id: int, key: dict[str, str]) -> None:
        at_once = {**key, "Prefer": "respond-async"}
        if self.choose.random() < 0.5:
            self._ask("cancels", "DELETE", f"/orders/{order_id}", at_once)
        else:
            request = self.choose.choice(({"price": self._price()}, {"quantity": self.choose.randrange(1, 60)}))
            self._ask("amendments", "PUT", f"/orders/{order_id}", at_once, request)

    def _ask(self, what: str, method: str, path: str, headers: dict[str, str], body: Any = None) -> requests.Response:
        answer = self.http.request(method, self.url + path, json=body, headers=headers, timeout=PATIENCE_SECONDS)
        self.seen[what] += 1
        self.codes[f"http {answer.status_code}"] += 1
        if answer.status_code >= 400:
            self.codes[answer.json()["code"]] += 1
        return answer

    def _order(self) -> dict[str, Any]:
        (kind,) = self.choose.choices(list(KINDS), list(KINDS.values()))
        quantity = self.choose.randrange(1, 60)
        order: dict[str, Any] = {
            "document_number": f"{self.choose.randrange(3):011}",
            "side": self.choose.choice(("bid", "ask")),
            "symbol": self._symbol(),
            "quantity": quantity,
        }
        if self.choose.random() < 0.1:
            order["self_trade_prevention"] = self.choose.choice(STP_MODES)
        if kind in ("market", "stop", "stop_limit"):
            order["order_type"] = kind
        if kind not in ("market", "stop"):
            order["price"] = self._price()
        return order | self._special(kind, quantity)

    def _special(self, kind: str, quantity: int) -> dict[str, Any]:
        """The fields that only this kind of order has."""
        make: dict[str, Callable[[], dict[str, Any]]] = {
            "gtd": lambda: {"valid_until": self._soon()},
            "stop": lambda: {"stop_price": self._price()},
            "stop_limit": lambda: {"stop_price": self._price()},
            "iceberg": lambda: {"display_quantity": self.choose.randrange(1, quantity + 1)},
            "post_only": lambda: {"post_only": True},
        }
        if kind in {"day", "ioc", "fok"}:
            return {"time_in_force": kind}
        return make[kind]() if kind in make else {}

    def _symbol(self) -> str:
        """Some stocks far more often than others."""
        return self.symbols[int(len(self.symbols) * self.choose.random() ** 3)]

    def _price(self) -> int:
        return REFERENCE + round(self.choose.gauss(0, SPREAD))

    def _soon(self) -> str:
        return (datetime.now(UTC) + timedelta(seconds=self.choose.uniform(0.2, 20))).isoformat()


class Operator:
    """Halts stocks, gathers orders in them, opens them again; suspends a broker and lets it in again."""

    def __init__(self, url: str, admin_key: str, symbols: Sequence[str], traders: Sequence[Trader], seed: int) -> None:
        self.url, self.symbols, self.traders = f"{url}/api/v1", symbols, traders
        self.headers = {"Authorization": f"Bearer {admin_key}", "Prefer": "respond-async"}
        self.choose = random.Random(seed)
        self.seen: Counter[str] = Counter()

    def run(self, stopped: threading.Event) -> None:
        """Act now and then until `stopped`; in the end everybody may trade."""
        while not stopped.wait(0.2):
            symbol = self.choose.choice(self.symbols)
            steps = self.choose.choice((("halted", "open"), ("halted", "auction", "open"), ("pre_open", "auction")))
            for state in steps:
                self._post(f"/stocks/{symbol}/state", {"state": state, "reason": "operator"})
                stopped.wait(0.1)
            if steps[-1] != "open":
                self._post(f"/stocks/{symbol}/uncross")
                self._post(f"/stocks/{symbol}/state", {"state": "open"})
            if self.choose.random() < 0.1:
                broker = self.choose.choice(self.traders).broker_id
                self._post(f"/brokers/{broker}/suspend")
                stopped.wait(0.2)
                self._post(f"/brokers/{broker}/activate")

    def _post(self, path: str, body: Any = None) -> None:
        answer = requests.post(self.url + path, json=body, headers=self.headers, timeout=PATIENCE_SECONDS)
        if answer.status_code not in (200, 202, 409):
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:200]}")
        self.seen[path.rpartition("/")[2]] += 1
