"""A load that does not wait for answers, in a process of its own.

    python -m bench.loads.open_loop WANTED.json FOUND.json

Each request is due at its time whether or not earlier ones were answered, and its latency counts from that time: a
server that falls behind cannot hide it by slowing the client down ("coordinated omission").
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from bench.loads.http_client import Answer, Pool
from bench.loads.schedule import Due, Kind, Market, crossing_pairs, mixed_schedule

ORDER_ID: Final = re.compile(rb'"order_id": ?(\d+)')
HEAD_START_SECONDS: Final = 0.2
CLOSE_ENOUGH_SECONDS: Final = 0.0005
"""A request that is due within this time is sent at once."""


class Client:
    """Sends what is due, and notes what comes back."""

    def __init__(self, pool: Pool, symbols: list[str], keys: list[str], seed: int) -> None:
        self.pool, self.symbols, self.keys = pool, symbols, keys
        self.choose = random.Random(seed)
        self.known: list[tuple[bytes, int]] = []
        """Ids of acknowledged orders that nobody has asked to cancel, each with its broker's place."""
        self.latencies: dict[str, list[float]] = {kind.value: [] for kind in Kind}
        """Milliseconds from when it was due to its answer, of 2xx answers."""
        self.statuses: dict[str, Counter[int]] = {kind.value: Counter() for kind in Kind}
        self.late: list[float] = []
        """Milliseconds from when it was due to when the client got to it."""
        self.without_retry_after = 0
        self.left_out = 0
        """Cancels and reads for which there was no order yet."""
        self.client_cpu = 0.0
        """Processor seconds of this client for each second."""
        self.loop = asyncio.get_running_loop()

    async def run(self, schedule: Iterable[Due], patience: float) -> None:
        """Send everything at its time, then wait for the answers, at most `patience` seconds."""
        start = self.loop.time() + HEAD_START_SECONDS
        used = time.process_time()
        for due in schedule:
            wait = start + due.at - self.loop.time()
            if wait > CLOSE_ENOUGH_SECONDS:
                await asyncio.sleep(wait)
            self._send(due, start + due.at)
        deadline = self.loop.time() + patience
        while self.pool.under_way and self.loop.time() < deadline:
            await asyncio.sleep(0.01)
        self.client_cpu = (time.process_time() - used) / (self.loop.time() - start)

    def _send(self, due: Due, at: float) -> None:
        request = self._request(due)
        if request is None:
            self.left_out += 1
            return
        self.late.append((self.loop.time() - at) * 1000)
        self.pool.request(request, lambda answer: self._note(due, at, answer))

    def _note(self, due: Due, at: float, answer: Answer) -> None:
        self.statuses[due.kind.value][answer.status] += 1
        if 200 <= answer.status < 300:
            self.latencies[due.kind.value].append((self.loop.time() - at) * 1000)
            if due.kind is Kind.ORDER and (found := ORDER_ID.search(answer.body)):
                self.known.append((found[1], due.broker))
        elif answer.status == 503 and b"\r\nretry-after:" not in answer.head:
            self.without_retry_after += 1

    def _request(self, due: Due) -> bytes | None:
        """The bytes of the request; None for one about an order while there is none."""
        symbol, broker = self.symbols[due.stock], due.broker
        match due.kind:
            case Kind.ORDER:
                body = (
                    f'{{"document_number":"{broker:011}","side":"{due.side}","symbol":"{symbol}",'
                    f'"quantity":{due.quantity},"price":{due.price}}}'
                )
                return self._bytes("POST", "orders", broker, body)
            case Kind.BOOK | Kind.PRICE:
                return self._bytes("GET", f"stocks/{symbol}/{due.kind.value}", broker)
            case Kind.BALANCE:
                return self._bytes("GET", "balance", broker)
        if not self.known:
            return None
        place = self.choose.randrange(len(self.known))
        order, owner = self.known[place]
        if due.kind is Kind.OWN_ORDER:
            return self._bytes("GET", f"orders/{order.decode()}", owner)
        self.known[place] = self.known[-1]
        self.known.pop()
        return self._bytes("DELETE", f"orders/{order.decode()}", owner)

    def _bytes(self, method: str, path: str, broker: int, body: str = "") -> bytes:
        content = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        return (
            f"{method} /api/v1/{path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self.keys[broker]}\r\n"
            f"{content}\r\n{body}"
        ).encode()

    def found(self) -> dict[str, Any]:
        """Everything noted, for the process that started this one."""
        return {
            "latencies": self.latencies,
            "statuses": self.statuses,
            "late": self.late,
            "unanswered": self.pool.under_way,
            "without_retry_after": self.without_retry_after,
            "left_out": self.left_out,
            "client_cpu": self.client_cpu,
        }


def schedule_of(wanted: dict[str, Any]) -> list[Due]:
    """The requests that are asked for, made before the clock starts."""
    seconds = wanted["seconds"]
    if "trades" in wanted:
        return list(crossing_pairs(len(wanted["keys"]), wanted["middle"], wanted["trades"], seconds))
    market = Market(len(wanted["symbols"]), len(wanted["keys"]), wanted["middle"], wanted["spread"])
    return list(mixed_schedule(market, wanted["orders"], seconds, wanted["seed"]))


async def _main(wanted: dict[str, Any]) -> dict[str, Any]:
    schedule = schedule_of(wanted)
    gc.collect()
    gc.disable()  # a pause of the client would count as the server's
    pool = Pool("127.0.0.1", wanted["port"], wanted["connections"])
    await pool.open()
    client = Client(pool, wanted["symbols"], wanted["keys"], wanted["seed"])
    await client.run(schedule, wanted["patience"])
    pool.close()
    return client.found()


def main() -> None:
    """Read what is wanted, run it, write what was found."""
    wanted = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with contextlib.suppress(ImportError):
        import uvloop  # noqa: PLC0415 - faster where it is installed

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    found = asyncio.run(_main(wanted))
    Path(sys.argv[2]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
