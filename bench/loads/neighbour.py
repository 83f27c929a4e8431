"""Somebody who uses the exchange now and then, while another attacks it: how long he waits.

Each request is due at its time, and its latency counts from then, so that nothing is hidden by waiting.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from bench.loads.target import PRICE

EVERY_SECONDS: Final = 0.05
PATIENCE_SECONDS: Final = 20.0


@dataclass
class Waited:
    """Milliseconds from when a request was due to its answer, of one kind; and what was no answer."""

    milliseconds: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


Ask = Callable[[], int]
"""One request; the status of its answer."""


class Neighbour:
    """Places orders on a kept connection, and asks for the time and for the health on new ones."""

    def __init__(self, port: int, key: str, symbol: str) -> None:
        self.port = port
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self._body = json.dumps(
            {"document_number": "2", "side": "bid", "symbol": symbol, "quantity": 1, "price": PRICE}
        ).encode()
        self._kept = self._connect()

    def kinds(self) -> dict[str, Ask]:
        """What he asks for, by name."""
        return {"orders": self._order, "new connections": self._time, "health": self._health}

    def watch(self, seconds: float) -> dict[str, Waited]:
        """All kinds for so long, each beside the others."""
        kinds = self.kinds()
        found = {name: Waited() for name in kinds}
        threads = [
            threading.Thread(target=_ask_on_time, args=[ask, found[name], seconds]) for name, ask in kinds.items()
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return found

    def close(self) -> None:
        """Leave."""
        self._kept.close()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)

    def _order(self) -> int:
        try:
            return _status(self._kept, "POST", "/api/v1/orders", self._body, self._headers)
        except OSError:
            self._kept.close()  # the next request opens it anew
            raise

    def _time(self) -> int:
        return self._anew("/api/v1/time")

    def _health(self) -> int:
        return self._anew("/health")

    def _anew(self, path: str) -> int:
        connection = self._connect()
        try:
            return _status(connection, "GET", path, None, {})
        finally:
            connection.close()


def _status(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes | None, headers: dict[str, str]
) -> int:
    connection.request(method, path, body, headers)
    with connection.getresponse() as answer:
        answer.read()
        return answer.status


def _ask_on_time(ask: Ask, found: Waited, seconds: float) -> None:
    began = due = time.monotonic()
    while due < began + seconds:
        time.sleep(max(0.0, due - time.monotonic()))
        try:
            status = ask()
        except (OSError, http.client.HTTPException) as error:
            found.failed.append(type(error).__name__)
        else:
            if status >= 300:
                found.failed.append(str(status))
        found.milliseconds.append((time.monotonic() - due) * 1000)
        due += EVERY_SECONDS
