"""Given a new database, when it is made ready, then it can be traded on at once, and a second time changes nothing."""

from __future__ import annotations

import dataclasses
import json
import shlex
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from cli.commands.up import _with_demo
from cli.local.demo.keys import known_keys
from cli.local.demo.seeding import BROKERS, CASH, SHARES
from cli.local.demo.stocks import STOCKS
from cli.local.new_admin_key import was_shown
from cli.local.prepare import prepare
from cli.local.summary import Summary, curl_command, text_of
from settings.sections import Database, Exchange, Settings


def test_a_new_database_gets_stocks_brokers_and_keys_once(database_url: str, tmp_path: Path) -> None:
    settings = dataclasses.replace(
        Settings(), exchange=Exchange(data_folder=str(tmp_path)), database=Database(url=database_url)
    )
    first = prepare(settings, demo=True)
    assert [broker.name for broker in first.brokers] == list(BROKERS)
    assert first.admin_key is not None
    with psycopg.connect(database_url) as connection:
        stocks = dict(connection.execute("SELECT symbol, reference_price FROM stocks").fetchall())
        amounts = connection.execute(
            "SELECT available, count(*) FROM balances JOIN brokers ON brokers.id = broker_id WHERE name = ANY(%s)"
            " GROUP BY available ORDER BY available",
            [list(BROKERS)],
        ).fetchall()
        stored = connection.execute("SELECT count(*) FROM api_keys").fetchone()
    assert stocks["PETR4"] == 3500
    assert stocks["AAPL"] == 58600
    assert len(stocks) == len(STOCKS) == 20
    assert amounts == [(SHARES, 3 * len(STOCKS)), (CASH, 3)]
    assert stored is not None
    assert stat.S_IMODE((tmp_path / "demo.json").stat().st_mode) == 0o600

    was_shown(tmp_path)
    second = prepare(settings, demo=True)
    assert second.brokers == first.brokers
    assert second.admin_key is None
    (tmp_path / "demo.json").write_text(json.dumps({"brokers": [{**vars(first.brokers[0]), "api_key": "of another"}]}))
    assert prepare(settings, demo=True).brokers == ()


def test_a_second_database_leaves_the_keys_of_the_first(new_database: Callable[[], str], tmp_path: Path) -> None:
    exchange = Exchange(data_folder=str(tmp_path))
    one, two = (
        dataclasses.replace(Settings(), exchange=exchange, database=Database(url=new_database())) for _ in range(2)
    )
    first, second = prepare(one, demo=True).brokers, prepare(two, demo=True).brokers
    assert {broker.api_key for broker in first}.isdisjoint(broker.api_key for broker in second)
    assert prepare(one, demo=True).brokers == first
    assert prepare(two, demo=True).brokers == second


def test_keys_that_were_kept_by_an_earlier_version_are_read(database_url: str, tmp_path: Path) -> None:
    broker = {"name": "Aurora", "broker_id": 1, "api_key": "mx_1", "webhook_secret": "whsec_1"}
    (tmp_path / "demo.json").write_text(json.dumps({"brokers": [broker]}))
    known = known_keys(tmp_path)
    assert known is not None
    assert known.brokers[0].api_key == "mx_1"


@pytest.mark.parametrize(
    ("url", "configured", "asked", "wanted"),
    [
        ("", True, None, True),
        ("", False, None, False),
        ("", True, False, False),
        ("postgresql://own/db", True, None, False),
        ("postgresql://own/db", True, True, True),
        ("postgresql://own/db", False, True, True),
    ],
)
def test_a_database_of_ones_own_gets_a_demo_only_when_asked(
    url: str, configured: bool, asked: bool | None, wanted: bool
) -> None:
    settings = Settings(database=Database(url=url), exchange=Exchange(demo=configured))
    assert _with_demo(settings, asked).exchange.demo is wanted


def test_the_summary_has_a_curl_command_to_paste() -> None:
    summary = Summary("http://127.0.0.1:8000", "http://127.0.0.1:8001", "/log", "/data", 1, 2.0)
    words = shlex.split(curl_command(summary))
    assert words[:4] == ["curl", "-sS", "-X", "POST"]
    assert "http://127.0.0.1:8000/api/v1/orders" in words
    order = json.loads(words[words.index("-d") + 1])
    assert (order["side"], order["symbol"], order["quantity"], order["price"]) == ("bid", "PETR4", 100, 3500)
    text = text_of(summary, log_follows=False)
    assert "http://127.0.0.1:8000/docs" in text
    assert text.endswith("\nminex status --data-folder /data    minex down --data-folder /data")
    assert Summary.from_json(summary.as_json()) == summary
