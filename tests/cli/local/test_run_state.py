"""Given what a running exchange has written down, then other commands find it, and nobody else its secrets."""

from __future__ import annotations

import dataclasses
import os
import stat
from pathlib import Path

import pytest

from cli.exits import NOT_RUNNING
from cli.local.run_state import RunState, connected, lock_of, read_state, running, write_state
from cli.terminal import CommandError
from settings.sections import Database, Exchange, Redis, Settings


def settings_on(folder: Path) -> Settings:
    return dataclasses.replace(Settings(), exchange=Exchange(data_folder=str(folder)))


def state_on(folder: Path) -> RunState:
    return RunState(
        pid=os.getpid(),
        data_folder=str(folder),
        state="running",
        url="http://127.0.0.1:8000",
        database_url="postgresql://minex:secret@127.0.0.1:1/minex",
        redis_url="unix://operator:secret@/run/socket",
        redis_urls={"web": "unix://web:secret@/run/socket"},
    )


def test_it_runs_as_long_as_its_lock_is_held(tmp_path: Path) -> None:
    state = state_on(tmp_path)
    write_state(state)
    assert running(tmp_path) is None  # what a killed one has left
    lock = lock_of(tmp_path)
    assert lock.take()
    assert running(tmp_path) == state
    assert not lock_of(tmp_path).take()
    lock.release()
    assert running(tmp_path) is None


def test_the_file_is_private_and_the_passwords_are_not_shown(tmp_path: Path) -> None:
    write_state(state_on(tmp_path))
    assert stat.S_IMODE((tmp_path / "run.json").stat().st_mode) == 0o600
    assert "secret" not in str(state_on(tmp_path).public())


def test_a_broken_file_is_no_state(tmp_path: Path) -> None:
    for text in ("", "{", "[]", '{"pid": 1, "other": 2}'):
        (tmp_path / "run.json").write_text(text)
        assert read_state(tmp_path) is None


def test_the_urls_of_its_own_servers_are_filled_in(tmp_path: Path) -> None:
    write_state(state_on(tmp_path))
    lock = lock_of(tmp_path)
    assert lock.take()
    settings = connected(dataclasses.replace(settings_on(tmp_path), redis=Redis(url="redis://elsewhere/0")))
    assert settings.database.url.startswith("postgresql://minex:secret@")
    assert settings.redis.url == "redis://elsewhere/0"
    lock.release()


def test_a_process_by_itself_gets_the_url_of_its_kind(tmp_path: Path) -> None:
    write_state(state_on(tmp_path))
    lock = lock_of(tmp_path)
    assert lock.take()
    settings = settings_on(tmp_path)
    assert connected(settings, "web").redis.url == "unix://web:secret@/run/socket"
    assert connected(settings).redis.url == "unix://operator:secret@/run/socket"
    given = dataclasses.replace(settings, redis=Redis(url="redis://own@elsewhere/0"))
    assert connected(given, "web").redis.url == "redis://own@elsewhere/0"
    lock.release()


def test_without_urls_and_without_an_exchange_there_is_nothing_to_connect_to(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as error:
        connected(settings_on(tmp_path))
    assert error.value.code == NOT_RUNNING
    given = dataclasses.replace(
        settings_on(tmp_path), database=Database(url="postgresql://h/d"), redis=Redis(url="redis://h/0")
    )
    assert connected(given) is given
