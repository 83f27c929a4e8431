"""`minex verify`: exit 0 when all is as it must be, 1 with the rows named, 3 when there is nothing to look at."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from sqlalchemy import Engine, text

from cli.commands.verify import command
from cli.exits import DONE, FAILED, NOT_RUNNING
from cli.local.run_state import RunState, lock_of, write_state
from cli.terminal import CommandError
from database.session import connect, transaction
from services.identity.register import register_broker
from services.matching.books import Books
from services.matching.match import match_turn
from services.order_entry.placing.place import place_orders
from services.order_entry.requests import NewOrder, OrderRequest
from services.stocks.listing import list_stock
from settings.sections import Market


@pytest.fixture(scope="module")
def engine(database_url: str) -> Iterator[Engine]:
    """An exchange with one open order."""
    engine = connect(database_url, pool_size=1)
    with transaction(engine) as session:
        list_stock(session, symbol="PETR4", name="Petrobras", market=Market(), group="A", reference_price=3_500)
        broker = register_broker(session, name="Aurora", cash=1_000_000).broker_id
        order = NewOrder(broker, OrderRequest("PETR4", "1", "bid", "limit", "gtc", 3_500, 100, b"x"))
        place_orders(lambda work: work(session), [order], {}, Market(), datetime.now(UTC))
    with transaction(engine) as session:
        match_turn(session, ["PETR4"], Books(), 10)
    yield engine
    engine.dispose()


@pytest.fixture
def broken(engine: Engine) -> Iterator[None]:
    """Somebody has taken 5 cents."""
    with transaction(engine) as session:
        session.execute(text("UPDATE balances SET available = available - 5 WHERE asset_id = 1"))
    yield
    with transaction(engine) as session:
        session.execute(text("UPDATE balances SET available = available + 5 WHERE asset_id = 1"))


def run(*arguments: str) -> int:
    return command.main([*arguments], prog_name="verify", standalone_mode=False)


@pytest.mark.usefixtures("engine")
def test_a_sound_exchange(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--replay", "--database-url", database_url) == DONE
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert lines[0].split() == ["#", "invariant", "rows", "findings", "seconds"]
    assert [line.split()[:2] for line in lines[1:]] == [["✓", str(number)] for number in range(1, 9)]
    assert "Everything that must be true is" in shown.err


@pytest.mark.usefixtures("engine")
def test_without_replay_it_says_so(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--database-url", database_url) == DONE
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 8
    assert "minex verify --replay" in shown.err


@pytest.mark.usefixtures("engine", "broken")
def test_a_broken_row_is_named(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--database-url", database_url) == FAILED
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert lines[1].startswith("✗ 1 ")
    assert "     balances broker_id=1 asset_id=1: available is 649995, should be 650000" in lines
    assert "2 findings" in shown.err


@pytest.mark.usefixtures("engine", "broken")
def test_json_is_for_programs(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", "--replay", "--database-url", database_url) == FAILED
    report = json.loads(capsys.readouterr().out)
    assert (report["clean"], report["replayed"]) == (False, True)
    assert [one["number"] for one in report["invariants"]] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert report["invariants"][2]["findings"] == [
        {
            "table": "balances",
            "row": {"broker_id": 1, "asset_id": 1},
            "what": "available",
            "found": "649995",
            "expected": "650000",
        }
    ]


@pytest.mark.usefixtures("engine")
def test_it_finds_the_running_exchange_by_itself(
    database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError) as absent:
        run("--data-folder", str(tmp_path))
    assert absent.value.code == NOT_RUNNING
    assert "minex up" in absent.value.mend
    lock = lock_of(tmp_path)
    lock.take()
    try:
        write_state(RunState(pid=os.getpid(), data_folder=str(tmp_path), database_url=database_url))
        assert run("--data-folder", str(tmp_path)) == DONE
    finally:
        lock.release()
    assert "✓ 6" in capsys.readouterr().out


def test_what_the_settings_name_comes_first(
    database_url: str, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MINEX_DATABASE_URL", database_url)
    assert run("--data-folder", str(tmp_path)) == DONE


def test_a_server_that_does_not_answer_is_not_running() -> None:
    with pytest.raises(CommandError, match="does not answer") as away:
        run("--database-url", "postgresql://minex:secret@127.0.0.1:1/minex")
    assert away.value.code == NOT_RUNNING
    assert "secret" not in away.value.text()


def test_a_database_without_an_exchange(database_url: str) -> None:
    with pytest.raises(CommandError, match="no exchange") as empty:
        run("--database-url", database_url.rsplit("/", 1)[0] + "/postgres")
    assert (empty.value.code, empty.value.mend) == (FAILED, ("minex migrate",))


def test_an_address_that_is_none_is_a_usage_error() -> None:
    with pytest.raises(click.BadParameter):
        run("--database-url", "somewhere")
