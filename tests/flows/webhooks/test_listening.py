"""Given a broker, when it listens in the terminal, then its hook is set, it sees its trades, and nothing is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

from settings.loading import ROOT
from tests.cli.commands.test_commands import minex
from tests.flows.exchange import RunningExchange


def test_a_hook_is_there_while_somebody_listens(exchange: RunningExchange) -> None:
    broker, seller = exchange.trusted(), exchange.trusted()
    command = [sys.executable, "-m", "cli", "webhook", "listen", "--set", "--port", "0", "--json"]
    environment = os.environ | {"MINEX_URL": exchange.base, "MINEX_KEY": broker.api_key}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        url = process.stderr.readline().split()[2]
        assert broker.get("/webhook")["url"] == url
        seller.order("ask", 1, 3_500)
        order = broker.order("bid", 1, 3_500)
        message = json.loads(process.stdout.readline())
        assert (message["event"], message["order_id"]) == ("trade_executed", order["order_id"])
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
    assert broker.get("/webhook")["url"] is None


def test_where_there_is_a_hook_its_secret_is_asked_for(exchange: RunningExchange) -> None:
    broker = exchange.trusted()
    broker.call("PUT", "/webhook", {"url": "http://127.0.0.1:1/"})
    done = minex("webhook", "listen", "--set", "--port", "0", MINEX_URL=exchange.base, MINEX_KEY=broker.api_key)
    assert done.returncode == 1
    assert "There is a hook already, at http://127.0.0.1:1/" in done.stderr
    assert broker.get("/webhook")["url"] == "http://127.0.0.1:1/"
    wrong = minex("webhook", "listen", "--set", "--port", "0", MINEX_URL=exchange.base, MINEX_KEY="mx_wrong")
    assert (wrong.returncode, "unauthenticated" in wrong.stderr) == (4, True)
