"""Given a database with the demo, when a simulator is wanted, then its brokers are there once, with what it trades."""

from __future__ import annotations

import dataclasses
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from cli.local.demo.enrolling import CASH, NAMES, SHARES, enroll
from cli.local.demo.simulator_keys import FILE, keys_of, with_simulator
from cli.local.demo.stocks import STOCKS
from cli.local.prepare import prepare
from database.session import connect, transaction
from services.identity.api_keys import hash_of_key
from services.stocks.listing import list_stock
from services.verify import verify
from settings.processes import Simulator
from settings.sections import Settings
from simulator.traders import MAKERS, PEOPLE


@pytest.fixture
def settings(new_database: Callable[[], str], tmp_path: Path) -> Settings:
    base = Settings(simulator=Simulator(enabled=True))
    return with_simulator(
        dataclasses.replace(
            base,
            exchange=dataclasses.replace(base.exchange, data_folder=str(tmp_path)),
            database=dataclasses.replace(base.database, url=new_database()),
        )
    )


def rows(settings: Settings, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(settings.database.url) as connection:
        return connection.execute(sql).fetchall()


def held(settings: Settings) -> list[tuple[object, ...]]:
    return rows(
        settings,
        "SELECT b.name, count(*) FILTER (WHERE available = 10000000), max(available) FROM balances"
        " JOIN brokers b ON b.id = broker_id WHERE b.name LIKE 'Simulator%' GROUP BY b.name ORDER BY b.name",
    )


def test_its_brokers_come_with_the_demo_and_no_second_time(settings: Settings) -> None:
    prepare(settings, demo=True)
    first = held(settings)
    assert first == sorted((name, len(STOCKS), CASH) for name in NAMES.values())
    prepare(settings, demo=True)
    assert held(settings) == first
    hashes = {bytes(row[0]) for row in rows(settings, "SELECT key_hash FROM api_keys")}  # type: ignore[call-overload]
    assert {hash_of_key(key) for key in (settings.simulator.makers_key, settings.simulator.people_key)} < hashes
    engine = connect(settings.database.url)
    with transaction(engine) as session:
        assert not [finding for check in verify(session, replay=False).checks for finding in check.findings]
    engine.dispose()


def test_a_stock_that_is_listed_later_is_not_theirs(settings: Settings) -> None:
    prepare(settings, demo=True)
    engine = connect(settings.database.url)
    with transaction(engine) as session:
        list_stock(session, symbol="LATE3", name="Late", market=settings.market, group="A", reference_price=1_000)
    engine.dispose()
    prepare(settings, demo=True)
    later = "SELECT count(*) FROM balances JOIN stocks ON stocks.id = asset_id WHERE symbol = 'LATE3'"
    assert rows(settings, later) == [(0,)]
    named = dataclasses.replace(settings, simulator=dataclasses.replace(settings.simulator, stocks=("LATE3",)))
    prepare(named, demo=True)
    prepare(named, demo=True)
    assert rows(settings, later.replace("count(*)", "array_agg(available)")) == [([SHARES, SHARES],)]


def test_what_the_command_has_begun_with_one_stock_is_made_whole_by_the_next_start(settings: Settings) -> None:
    prepare(dataclasses.replace(settings, simulator=Simulator(enabled=False)), demo=True)
    assert enroll(settings, ["PETR4", "NONE1"]) == ["PETR4"]
    prepare(settings, demo=True)
    assert held(settings) == sorted((name, len(STOCKS), CASH) for name in NAMES.values())


def test_there_are_none_without_the_demo_or_without_a_simulator(
    new_database: Callable[[], str], settings: Settings
) -> None:
    prepare(settings, demo=False)
    assert held(settings) == []
    off = dataclasses.replace(
        settings,
        simulator=Simulator(enabled=False),
        database=dataclasses.replace(settings.database, url=new_database()),
    )
    prepare(off, demo=True)
    assert held(off) == []


def test_a_broker_whose_key_was_taken_away_stays_without(settings: Settings) -> None:
    prepare(settings, demo=True)
    with psycopg.connect(settings.database.url) as connection:
        connection.execute(
            "DELETE FROM api_keys USING brokers b WHERE b.id = broker_id AND b.name = %s", [NAMES[MAKERS]]
        )
    prepare(settings, demo=True)
    keys = "SELECT count(*) FROM api_keys JOIN brokers b ON b.id = broker_id WHERE b.name LIKE 'Simulator%'"
    assert rows(settings, keys) == [(1,)]


def test_the_keys_stay_the_same_and_nobody_else_reads_what_they_are_made_of(tmp_path: Path) -> None:
    first = keys_of(tmp_path / "data")
    assert first == keys_of(tmp_path / "data") != keys_of(tmp_path / "other")
    assert first[MAKERS] != first[PEOPLE]
    assert stat.S_IMODE((tmp_path / "data" / FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("enabled", "url", "demo", "stocks", "public", "wanted"),
    [
        (None, "", True, (), None, True),
        (None, "", False, (), None, False),
        (None, "postgresql://own/db", True, (), None, False),
        (None, "", True, (), True, False),
        (False, "", True, (), None, False),
        (True, "postgresql://own/db", True, (), None, True),
        (True, "postgresql://own/db", False, (), None, False),
        (True, "postgresql://own/db", False, ("X",), True, True),
    ],
)
def test_there_is_one_where_servers_are_our_own_unless_something_is_said(
    tmp_path: Path,
    enabled: bool | None,
    url: str,
    demo: bool,
    stocks: tuple[str, ...],
    public: bool | None,
    wanted: bool,
) -> None:
    base = Settings(simulator=Simulator(enabled=enabled, stocks=stocks))
    given = dataclasses.replace(
        base,
        exchange=dataclasses.replace(base.exchange, data_folder=str(tmp_path), demo=demo, public=public),
        database=dataclasses.replace(base.database, url=url),
    )
    simulator = with_simulator(given).simulator
    assert simulator.enabled is wanted
    assert bool(simulator.makers_key) is wanted


def test_keys_that_are_given_are_used(tmp_path: Path) -> None:
    given = Simulator(enabled=True, makers_key="mx_" + "m" * 43, people_key="mx_" + "p" * 43)
    base = Settings(simulator=given)
    base = dataclasses.replace(base, exchange=dataclasses.replace(base.exchange, data_folder=str(tmp_path)))
    assert with_simulator(base).simulator == given
    assert not (tmp_path / FILE).exists()
