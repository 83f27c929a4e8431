"""Given messages of the exchange and of others, when they reach `minex webhook listen`, then it tells them apart."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from cli.webhooks.listener import Listener
from services.webhooks.signing import SIGNATURE, TIMESTAMP, new_secret, signature_headers
from settings.loading import ROOT
from tests.cli.commands.test_commands import minex

SECRET, OTHER = new_secret(), new_secret()
MESSAGE = {
    "event": "trade_executed", "sequence": 4, "account_sequence": 9, "trade_id": 12, "order_id": 7, "symbol": "PETR4",
    "side": "bid", "price": 3_590, "quantity": 100, "filled_quantity": 100, "order_remaining_quantity": 20,
    "liquidity": "taker", "fee": 3, "executed_at": "2026-03-02T14:03:22.000000Z", "client_order_id": None,
}  # fmt: skip
BODY = json.dumps(MESSAGE).encode()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener("127.0.0.1", 0, SECRET, 204, as_json=False) as listening:
        thread = threading.Thread(target=listening.serve)
        thread.start()
        yield listening
        listening.stop()
        thread.join()


def signed(*secrets: str, body: bytes = BODY, message_id: str = "5", at: datetime | None = None) -> dict[str, str]:
    return signature_headers(secrets or (SECRET,), message_id, at or datetime.now(UTC), body)


def post(listener: Listener, headers: dict[str, Any], body: bytes = BODY) -> int:
    return requests.post(listener.url, data=body, headers=headers, timeout=10).status_code


def test_a_message_is_verified_and_printed(listener: Listener, capsys: pytest.CaptureFixture[str]) -> None:
    assert post(listener, signed()) == 204
    line = "2026-03-02T14:03:22.000000Z  #4  bought 100 PETR4 @ 35.90  order 7, 20 left  taker, fee 0.03"
    assert capsys.readouterr().out == f"{line}\n"
    assert post(listener, signed()) == 204
    assert capsys.readouterr().out == f"{line}  (again)\n"
    test = b'{"event":"test","delivery_id":6}'
    assert post(listener, signed(body=test, message_id="6"), test) == 204
    assert capsys.readouterr().out == 'test  {"event": "test", "delivery_id": 6}\n'


def test_one_of_two_signatures_is_enough(listener: Listener) -> None:
    assert post(listener, signed(OTHER, SECRET)) == 204
    assert post(listener, {**signed(), SIGNATURE: f"v1a,abc {signed()[SIGNATURE]}"}) == 204


@pytest.mark.parametrize(
    "changes",
    [
        {SIGNATURE: "v1,é".encode()}, {SIGNATURE: "v1"}, {SIGNATURE: None}, {TIMESTAMP: None}, {"webhook-id": None},
        {TIMESTAMP: "abc"}, {TIMESTAMP: "-1"}, {TIMESTAMP: "1614265330"},
    ],
)  # fmt: skip
def test_what_is_not_signed_is_refused(
    listener: Listener, capsys: pytest.CaptureFixture[str], changes: dict[str, Any]
) -> None:
    headers = {name: value for name, value in {**signed(), **changes}.items() if value is not None}
    assert post(listener, headers) == 401
    assert post(listener, {}) == 401
    assert post(listener, signed(OTHER)) == 401
    assert post(listener, signed(at=datetime.now(UTC) - timedelta(hours=1))) == 401
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("✗ refused: ") == 4
    assert post(listener, signed()) == 204, "it goes on"


def test_what_is_verified_are_the_bytes_as_they_came(listener: Listener) -> None:
    assert post(listener, signed(), json.dumps(MESSAGE, indent=1).encode()) == 401
    spaced = json.dumps(MESSAGE, indent=1).encode()
    assert post(listener, signed(body=spaced), spaced) == 204


def test_requests_that_are_none(listener: Listener) -> None:
    assert requests.get(listener.url, timeout=10).status_code == 405
    port = int(listener.url.rsplit(":", 1)[1].strip("/"))
    for head, status in (("", 411), ("Content-Length: 99999999\r\n", 413), ("Content-Length: x\r\n", 411)):
        with socket.create_connection(("127.0.0.1", port), 10) as connection:
            connection.sendall(f"POST / HTTP/1.1\r\nHost: x\r\n{head}\r\n".encode())
            assert f"HTTP/1.1 {status}".encode() in connection.recv(1_000)
    body = b"\xff\xfe"
    assert post(listener, signed(), body) == 401


def test_the_command_listens_until_it_is_interrupted(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    command = [sys.executable, "-m", "cli", "webhook", "listen", "--port", "0", "--json", "--secret"]
    with subprocess.Popen(
        [*command, f"@{tmp_path / 'secret'}"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        url = process.stderr.readline().split()[2]
        answer = requests.post(url, data=BODY, headers=signed(), timeout=10)
        assert answer.status_code == 204
        assert process.stdout.readline() == BODY.decode() + "\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 0


@pytest.mark.parametrize("secret", ["", "x", "whsec_", "whsec_abcd", "whsec_é", "whsec_" + "A" * 200])
def test_what_is_no_secret_is_said(secret: str) -> None:
    done = minex("webhook", "listen", MINEX_WEBHOOK_SECRET=secret)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("✗ ")
    assert len(done.stderr.splitlines()) <= 2


def test_a_port_that_is_taken_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = minex("webhook", "listen", "--port", port, MINEX_WEBHOOK_SECRET=SECRET)
    assert done.returncode == 1
    assert f"Cannot listen at 127.0.0.1:{port}" in done.stderr
