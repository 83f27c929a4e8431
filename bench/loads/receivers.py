"""Brokers' receivers of webhooks: well, slow, broken, or not there at all."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from io import BufferedReader
from typing import Final

from standardwebhooks import Webhook, WebhookVerificationError

from bench.world.seed import REFERENCE, Trader
from bench.world.told import Told
from bench.world.world import World, until
from client import Exchange
from machine.ports import LOOPBACK, listener, random_free_port

GOOD: Final = 204
BROKEN: Final = 500

BATCH: Final = 500
CATCHES_UP_SECONDS: Final = 600
LOOK_SECONDS: Final = 0.5
"""How often what waits is counted: seldom, for PostgreSQL reads all of it."""

Manner = Callable[[], tuple[int, float]]
"""How the next request is answered: the status, and after how many seconds."""


def well() -> tuple[int, float]:
    """At once."""
    return GOOD, 0.0


def failing_every_other() -> Manner:
    """One fails, one does not, and so on."""
    statuses = itertools.cycle((BROKEN, GOOD))
    return lambda: (next(statuses), 0.0)


def slow(seconds: float) -> Manner:
    """Well, but late."""
    return lambda: (GOOD, seconds)


class Receiver:
    """Verifies each request with the secret and notes it, then answers; refuses connections until it listens."""

    def __init__(self) -> None:
        self.port = random_free_port()
        self.url = f"http://{LOOPBACK}:{self.port}/"
        self.manner: Manner = well
        self.secret = ""
        self.told: list[Told] = []
        self.unsigned: list[str] = []
        """Why requests were no messages of the exchange's."""
        self._listener: socket.socket | None = None
        self._accepting = threading.Thread()
        self._connections: set[socket.socket] = set()

    def listen(self) -> None:
        """Be there from now on."""
        if self._listener is not None:
            return
        self._listener = listener(self.port)
        self._accepting = threading.Thread(target=self._accept, args=[self._listener], daemon=True)
        self._accepting.start()

    def leave(self) -> None:
        """Be gone, with all connections."""
        if self._listener is None:
            return
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # whoever waits for a connection would keep it listening
        self._listener.close()
        self._listener = None
        self._accepting.join()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self, own: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = own.accept()
                self._connections.add(connection)
                threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as reader:
            for headers, body in _requests(reader):
                status = self._answer(headers, body, time.time())
                connection.sendall(f"HTTP/1.1 {status} -\r\nContent-Length: 0\r\n\r\n".encode())
        self._connections.discard(connection)

    def _answer(self, headers: dict[str, str], body: bytes, at: float) -> int:
        try:
            message = Webhook(self.secret).verify(body, headers)
        except (WebhookVerificationError, ValueError) as error:
            self.unsigned.append(f"{error}: {body.decode(errors='replace')}")
            return GOOD  # so that it goes on; for this receiver it has not arrived
        status, seconds = self.manner()
        if seconds:
            time.sleep(seconds)
        message_id, is_alone = headers["webhook-id"], headers.get("minex-set-aside") == "true"
        told = Told(at, time.time(), message_id, message["sequence"], body, message, is_alone, status)
        self.told.append(told)
        return status


def _requests(reader: BufferedReader) -> Iterator[tuple[dict[str, str], bytes]]:
    """Headers, their names in lower case, and bodies; of whole requests only."""
    while reader.readline():
        headers = {}
        while (line := reader.readline()) != b"\r\n":
            if not line:
                return
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", 0))
        body = reader.read(length)
        if len(body) < length:
            return
        yield headers, body


class Hooked:
    """A broker with a receiver, as whom one trades on the first stock."""

    def __init__(self, name: str, world: World, trader: Trader) -> None:
        self.name = name
        self.broker_id = trader.broker_id
        self.exchange = Exchange(world.url, trader.api_key, document="1")
        self.receiver = Receiver()
        self.receiver.secret = str(self.exchange.set_webhook(self.receiver.url)["secret"])
        self._world = world

    def buy(self, seller: Exchange, times: int) -> None:
        """Buy one share so many times. Raises RuntimeError where an order is refused."""
        symbol = self._world.symbols[0]
        seller.place_order("ask", symbol, times, REFERENCE)
        self._world.drain()
        for first in range(0, times, BATCH):
            bodies = [self.exchange.order_body("bid", symbol, 1, REFERENCE) for _ in range(min(BATCH, times - first))]
            for answer in self.exchange.place_orders(bodies):
                if "problem" in answer:
                    raise RuntimeError(f"an order was refused: {answer}")
        self._world.drain()

    def waiting(self) -> int:
        """Deliveries that are not delivered yet."""
        return int(self.exchange.webhook()["waiting"])

    def until_told(self) -> None:
        """Wait until nothing waits. Raises TimeoutError, and RuntimeError where nobody sends any more."""
        sender = self._world.processes.latest("webhooks")

        def is_told() -> bool:
            if sender.popen.poll() is not None:
                raise RuntimeError(f"webhooks ended:\n{sender.log.read_text(errors='replace')[-1000:]}")
            return self.waiting() == 0

        until(is_told, f"{self.name} is told everything", CATCHES_UP_SECONDS, LOOK_SECONDS)

    def close(self) -> None:
        """Listen and trade no more."""
        self.receiver.leave()
        self.exchange.close()
