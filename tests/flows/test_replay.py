"""Real order flow, or flow made up in its form, through a running exchange."""

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import asdict

import pytest

from cli.local.demo.keys import KEYS_FILE, DemoBroker, DemoKeys
from cli.local.run_state import RunState, lock_of, write_state
from database.session import transaction
from models import AdminKey
from services.identity.api_keys import hash_of_key
from settings.loading import ROOT, variables_of
from tests.cli.order_flow.lobster_day import exchange_day

ADMIN_KEY = "mxadmin_of_the_replay"
SELL_AND_BUY = "1,1,1,10,585000,-1\n2,4,1,4,585000,-1\n3,1,2,5,584900,1\n4,4,2,5,584900,1\n5,3,1,6,585000,-1\n"


def replay(exchange, file, *options, **environment):
    """`minex replay` of a file, with these options and variables; the exchange is where MINEX_* and --url say."""
    return subprocess.run(
        [sys.executable, "-m", "cli", "replay", str(file), "--json", *options],
        cwd=ROOT,
        env={**os.environ, **variables_of(exchange.settings), "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def with_keys(exchange, maker, taker):
    """The options and variables of a replay by these two brokers."""
    return ["--url", exchange.base], {"MINEX_MAKER_KEY": maker.api_key, "MINEX_TAKER_KEY": taker.api_key}


def by_trusted(exchange, file, *options):
    """A replay by two new brokers that need no money and no shares."""
    where, keys = with_keys(exchange, exchange.trusted(), exchange.trusted())
    return replay(exchange, file, *where, *options, **keys)


def written(folder, text):
    file = folder / "day.csv"
    file.write_text(text)
    return file


@pytest.fixture
def admin_key(exchange):
    """An administrator's key that the exchange knows."""
    with transaction(exchange.engine) as session:
        session.merge(AdminKey(key_hash=hash_of_key(ADMIN_KEY)))
    return ADMIN_KEY


@contextlib.contextmanager
def demo_here(exchange, folder):
    """The exchange as if `minex up` had started it on `folder`, with demo brokers who own nothing."""
    brokers = [(name, exchange.broker(name)) for name in ("Aurora", "Boreal")]
    keys = DemoKeys(tuple(DemoBroker(name, broker.broker_id, broker.api_key) for name, broker in brokers))
    (folder / KEYS_FILE).write_text(json.dumps(asdict(keys)))
    url = exchange.settings.database.url
    lock = lock_of(folder)
    assert lock.take()
    try:
        write_state(RunState(os.getpid(), str(folder), "running", exchange.base, database_url=url))
        yield
    finally:
        lock.release()


def test_every_execution_hits_the_order_that_it_hit(exchange, tmp_path):
    exchange.list("DAY1", reference_price=5850)
    day = "".join(line + "\n" for line in exchange_day(1).splitlines()[:300])
    executions = sum(line.split(",")[1] == "4" for line in day.splitlines())
    done = by_trusted(exchange, written(tmp_path, day), "--symbol", "DAY1")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["executions"] == report["executions_met"] == report["trades"] == executions > 20
    assert report["verify"] == "clean"
    assert report["settled_ms_p50"] <= report["settled_ms_p99"]
    exchange.verify()


def test_keys_can_be_options_or_come_from_files(exchange, tmp_path):
    exchange.list("KEYS1", reference_price=5850)
    maker, taker = exchange.trusted(), exchange.trusted()
    key_file = tmp_path / "taker.key"
    key_file.write_text(taker.api_key + "\n")
    options = ["--url", exchange.base, "--symbol", "KEYS1", "--maker-key", maker.api_key]
    done = replay(exchange, written(tmp_path, SELL_AND_BUY), *options, "--taker-key", f"@{key_file}")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["executions_met"] == 2
    assert len(taker.get("/trades")["items"]) == 2


def test_an_execution_that_hits_another_order_does_not_stop_the_flow(exchange, tmp_path):
    exchange.list("OTHER2", reference_price=5850)
    wrong = "1,1,10,10,585000,1\n2,1,20,10,585000,1\n3,4,20,10,585000,1\n4,2,10,4,585000,1\n5,3,10,6,585000,1\n"
    done = by_trusted(exchange, written(tmp_path, wrong), "--symbol", "OTHER2")
    assert done.returncode == 1
    report = json.loads(done.stdout)
    assert (report["executions"], report["executions_met"], report["amendments_refused"]) == (1, 0, 1)


def test_orders_of_others_in_the_stock_are_not_met(exchange, tmp_path):
    exchange.list("OTHER1", reference_price=5850)
    exchange.trusted().order("ask", 10, 5850, "OTHER1", wait=5)
    done = by_trusted(exchange, written(tmp_path, SELL_AND_BUY), "--symbol", "OTHER1")
    assert done.returncode == 1
    assert "Others have orders in OTHER1" in done.stderr


def test_what_an_earlier_replay_left_is_cancelled_on_both_sides(exchange, tmp_path):
    exchange.list("LEFT1", reference_price=5850)
    maker, taker = exchange.trusted(), exchange.trusted()
    maker.order("ask", 10, 5850, "LEFT1", wait=5)
    taker.order("bid", 10, 5800, "LEFT1", wait=5)
    where, keys = with_keys(exchange, maker, taker)
    done = replay(exchange, written(tmp_path, SELL_AND_BUY), *where, "--symbol", "LEFT1", **keys)
    assert done.returncode == 0, done.stderr
    assert "cancelled 2 orders that were left in LEFT1" in done.stderr


def test_a_stock_that_is_not_listed_is_refused_with_what_helps(exchange, tmp_path):
    done = by_trusted(exchange, written(tmp_path, SELL_AND_BUY), "--symbol", "NONE1")
    assert done.returncode == 4
    assert done.stderr.splitlines() == [
        "✗ There is no stock NONE1; with the administrator's key it is listed.",
        "  MINEX_ADMIN_KEY=… minex replay FILE",
    ]


def test_a_broker_who_has_too_little_is_told_what_helps(exchange, tmp_path):
    exchange.list("POOR1", reference_price=5850)
    where, keys = with_keys(exchange, exchange.broker("Poor"), exchange.trusted())
    done = replay(exchange, written(tmp_path, SELL_AND_BUY), *where, "--symbol", "POOR1", **keys)
    assert done.returncode == 4
    assert "A broker has too little for this file: 422 insufficient_shares" in done.stderr
    assert done.stderr.endswith("  MINEX_ADMIN_KEY=… minex replay FILE\n")


def test_a_stock_that_would_refuse_orders_is_refused_before_the_first(exchange, tmp_path):
    exchange.list("BAND1", reference_price=3500)
    file = written(tmp_path, SELL_AND_BUY)
    maker, taker = exchange.trusted(), exchange.trusted()
    where, keys = with_keys(exchange, maker, taker)
    done = replay(exchange, file, *where, "--symbol", "BAND1", **keys)
    assert done.returncode == 4
    assert "4 of 4 orders do not fit the prices from 3150 to 3850 that BAND1 has" in done.stderr
    assert maker.get("/orders?symbol=BAND1")["items"] == []


def test_the_administrators_key_lists_the_stock_and_registers_two_brokers(exchange, tmp_path, admin_key):
    file = written(tmp_path, SELL_AND_BUY)
    options = ["--url", exchange.base, "--symbol", "NEW1"]
    done = replay(exchange, file, *options, MINEX_ADMIN_KEY=admin_key, MINEX_DATA_FOLDER=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["executions_met"] == 2
    assert done.stderr.splitlines() == [
        "registered a broker, Replay maker",
        "registered a broker, Replay taker",
        "listed NEW1",
    ]
    exchange.verify()


def test_the_demo_brokers_of_the_exchange_here_get_what_they_lack(exchange, tmp_path):
    file = written(tmp_path, SELL_AND_BUY)
    with demo_here(exchange, tmp_path):
        done = replay(exchange, file, "--symbol", "DEMO1", MINEX_DATA_FOLDER=str(tmp_path))
        again = replay(exchange, file, "--symbol", "DEMO1", MINEX_DATA_FOLDER=str(tmp_path))
    assert done.returncode == again.returncode == 0, done.stderr + again.stderr
    assert json.loads(done.stdout)["executions_met"] == json.loads(again.stdout)["executions_met"] == 2
    assert "listed DEMO1" in done.stderr
    assert "deposited the money and shares that the demo brokers lacked" in done.stderr
    assert "listed" not in again.stderr
    exchange.verify()
