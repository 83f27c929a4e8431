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
from engine.terms.rules import STP_MODES

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
            request = self.choose.choice(
                (
                    {"price": self._price()},
                    {"quantity": self.choose.randrange(1, 60)},
                    {"stop_price": self._price()},
                )
            )
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
    """Halts stocks, gathers orders in them, opens them again; suspends a broker and lets it in again.

    And has money and shares come in and go out, changes what brokers pay, and sees to somebody who passes by.
    """

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
            self._move(self.choose.choice(self.traders).broker_id)
            if self.choose.random() < 0.3:
                self._pass_by()

    def _move(self, broker: int) -> None:
        """Cash or shares in or out, and now and then other fees from now on."""
        shares = {self.choose.choice(self.symbols): {"quantity": 7}}
        what = self.choose.choice(({"cash": 1_234_567}, {"positions": shares}))
        reference = f"{self.choose.getrandbits(60)}"
        self._post(f"/brokers/{broker}/{self.choose.choice(('deposit', 'withdraw'))}", {"reference": reference, **what})
        if self.choose.random() < 0.2:
            rates = {"maker_bps": self.choose.randrange(20), "taker_bps": self.choose.randrange(50)}
            self._post(f"/brokers/{broker}/fees", rates, "PUT")

    def _pass_by(self) -> None:
        """Somebody new sells some of what he has, buys some more, and closes all of it."""
        symbol = self.choose.choice(self.symbols)
        body = {"name": "Passer-by", "cash": 10**8, "positions": {symbol: 500}, "short_limit": 1_000}
        key = {"Authorization": f"Bearer {self._post('/register', body)['api_key']}"}
        for side, quantity in (("ask", 200), ("bid", 100), ("ask", self.choose.choice((100, 900)))):
            price = REFERENCE + round(self.choose.gauss(0, SPREAD))
            order = {"document_number": "1", "side": side, "symbol": symbol, "quantity": quantity, "price": price}
            requests.post(f"{self.url}/orders", json=order, headers=key, timeout=PATIENCE_SECONDS)
        for _ in range(2):
            answer = requests.delete(f"{self.url}/positions", headers=key, timeout=PATIENCE_SECONDS)
            items = answer.json()["items"] if answer.status_code in (200, 201) else []
            self.seen["positions closed"] += sum(item["order_id"] is not None for item in items)

    def _post(self, path: str, body: Any = None, method: str = "POST") -> Any:
        answer = requests.request(method, self.url + path, json=body, headers=self.headers, timeout=PATIENCE_SECONDS)
        if answer.status_code not in (200, 201, 202, 409):
            raise RuntimeError(f"{path}: {answer.status_code} {answer.text[:200]}")
        self.seen[path.rpartition("/")[2]] += 1
        return answer.json()
