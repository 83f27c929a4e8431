"""Real order flow, or flow made up in its form, through a running exchange."""

import json
import os
import subprocess
import sys

from settings.loading import ROOT, variables_of
from tests.cli.order_flow.lobster_day import exchange_day


def replay(exchange, file, *options):
    """`minex replay` of a file, with two new trusted brokers."""
    maker, taker = exchange.trusted(), exchange.trusted()
    return subprocess.run(
        [sys.executable, "-m", "cli", "replay", str(file), "--url", exchange.base, "--maker-key", maker.api_key,
         "--taker-key", taker.api_key, "--symbol", "DAY1", "--json", *options],
        cwd=ROOT,
        env={**os.environ, **variables_of(exchange.settings), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip


def test_every_execution_hits_the_order_that_it_hit(exchange, tmp_path):
    exchange.list("DAY1", reference_price=5850)
    day = "".join(line + "\n" for line in exchange_day(1).splitlines()[:300])
    executions = sum(line.split(",")[1] == "4" for line in day.splitlines())
    file = tmp_path / "DAY1_messages.csv"
    file.write_text(day)
    done = replay(exchange, file)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["executions"] == report["executions_met"] == report["trades"] == executions > 20
    assert report["verify"] == "clean"
    assert report["settled_ms_p50"] <= report["settled_ms_p99"]
    exchange.verify()


def test_orders_of_others_in_the_stock_are_not_met(exchange, tmp_path):
    exchange.list("OTHER1", reference_price=5850)
    exchange.trusted().order("ask", 10, 5850, "OTHER1", wait=5)
    file = tmp_path / "day.csv"
    file.write_text("1.0,1,1,10,585000,1\n")
    done = replay(exchange, file, "--symbol", "OTHER1")
    assert done.returncode == 1
    assert "Others have orders in OTHER1" in done.stderr


def test_a_stock_that_is_not_listed_is_the_markets_refusal(exchange, tmp_path):
    file = tmp_path / "day.csv"
    file.write_text("1.0,1,1,10,585000,1\n")
    done = replay(exchange, file, "--symbol", "NONE1")
    assert done.returncode == 4
    assert "NONE1" in done.stderr
