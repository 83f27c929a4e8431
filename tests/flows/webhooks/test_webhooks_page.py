"""docs/webhooks.md: its receiver keeps each execution once, whatever it is killed by."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from machine.ports import random_free_port
from settings.loading import ROOT
from tests.flows.exchange import RunningExchange, until

PAGE = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Any]:
    """Starts the page's receiver for a secret at a port; what is started again goes on in the same folder."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "receiver.py").write_text(code)
    started: list[subprocess.Popen[bytes]] = []

    def start(secret: str, port: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "receiver.py", str(port)]
        started.append(subprocess.Popen(command, cwd=tmp_path, env={"SECRET": secret}, stderr=subprocess.DEVNULL))
        until(lambda: requests.get(f"http://127.0.0.1:{port}/", timeout=5).status_code, "the receiver answers")
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_the_receiver_of_the_page_misses_nothing(exchange: RunningExchange, receiver: Any, tmp_path: Path) -> None:
    broker, port = exchange.trusted(), random_free_port()
    made = broker.call("PUT", "/webhook", {"url": f"http://127.0.0.1:{port}/"}).json()
    seller = exchange.trusted()
    seller.order("ask", 1_000, 3_500)
    process = receiver(made["secret"], port)
    for _ in range(3):
        for _ in range(20):
            broker.order("bid", 1, 3_500)
        process.kill()
        process.wait()
        process = receiver(made["secret"], port)
    exchange.settle()
    until(lambda: not broker.get("/webhook")["waiting"], "all is told")
    kept = [json.loads(line) for line in (tmp_path / "executions.jsonl").read_text().splitlines()]
    assert len({message["id"] for message in kept}) == len(kept)
    trades = broker.get("/trades?limit=500")["items"]
    assert {message["trade_id"] for message in kept} == {trade["trade_id"] for trade in trades}
    assert sorted(message["sequence"] for message in kept) == list(range(1, 61))
    assert requests.post(f"http://127.0.0.1:{port}/", data=b"{}", timeout=5).status_code == 401
    broker.call("DELETE", "/webhook")


def test_the_example_of_the_page_has_every_field(exchange: RunningExchange) -> None:
    broker, seller = exchange.trusted(), exchange.trusted()
    broker.call("PUT", "/webhook", {"url": f"http://127.0.0.1:{random_free_port()}/"})
    seller.order("ask", 1, 3_500)
    broker.order("bid", 1, 3_500, client_order_id="mine-7")
    exchange.settle()
    (delivery,) = broker.get("/webhook/deliveries")["items"]
    (example,) = re.findall(r'^(\{"event":"trade_executed".*?\})\n', PAGE, re.DOTALL | re.MULTILINE)
    assert json.loads(example).keys() == delivery["payload"].keys()
    broker.call("DELETE", "/webhook")
