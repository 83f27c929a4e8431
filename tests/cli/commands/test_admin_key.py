"""Given an administrator's key that is lost, interrupted or known to others, then there is a way to another one."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from cli.commands.admin_key import command
from cli.commands.up import _print_state
from cli.local import prepare as prepare_module
from cli.local.new_admin_key import unshown_key
from cli.local.prepare import prepare
from cli.local.run_state import RunState
from cli.terminal import CommandError
from database.session import connect, transaction
from services.identity.admin_key import is_admin_key
from settings.sections import Database, Exchange, Settings


@pytest.fixture
def url(new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A database without a key, which the command finds by the settings."""
    url = new_database()
    monkeypatch.setenv("MINEX_DATABASE_URL", url)
    monkeypatch.setenv("MINEX_DATA_FOLDER", str(tmp_path))
    return url


def settings_on(url: str, folder: Path) -> Settings:
    return Settings(database=Database(url=url), exchange=Exchange(data_folder=str(folder)))


def holds(url: str, key: str) -> bool:
    engine = connect(url, pool_size=1)
    try:
        with transaction(engine) as session:
            return is_admin_key(session, key)
    finally:
        engine.dispose()


def run(*arguments: str) -> None:
    command.main([*arguments], prog_name="admin-key", standalone_mode=False)


def test_a_new_key_ends_the_old_one(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("--new")
    first = capsys.readouterr().out.strip()
    assert holds(url, first)
    run("--new")
    second = capsys.readouterr().out.strip()
    assert (holds(url, first), holds(url, second)) == (False, True)
    run()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "only its hash is kept" in shown.err
    log = (tmp_path / "log" / "minex.log").read_text()
    assert log.count("the administrator's key is another one now: minex admin-key --new") == 2
    assert first not in log
    assert second not in log


def test_a_start_that_is_interrupted_before_the_key_is_shown_loses_nothing(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = prepare(settings_on(url, tmp_path), demo=False).admin_key  # and then Ctrl-C: nobody has seen it
    assert made is not None
    assert (tmp_path / "new-admin-key").stat().st_mode & 0o777 == 0o600
    assert prepare(settings_on(url, tmp_path), demo=False).admin_key == made
    _print_state(RunState(1, str(tmp_path), url="http://x"), unshown_key(tmp_path), as_json=False)
    assert made in capsys.readouterr().out
    run()
    assert capsys.readouterr().out.strip() == made
    run()
    assert made not in capsys.readouterr().out
    assert prepare(settings_on(url, tmp_path), demo=False).admin_key is None


def test_a_start_that_is_interrupted_while_the_key_is_made_makes_another(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(folder: Path, key: str) -> None:
        real(folder, key)
        raise KeyboardInterrupt

    real = prepare_module.keep_until_shown
    with monkeypatch.context() as patch:
        patch.setattr(prepare_module, "keep_until_shown", interrupt)
        with pytest.raises(KeyboardInterrupt):
            prepare(settings_on(url, tmp_path), demo=False)
    lost = unshown_key(tmp_path)
    assert lost is not None
    assert not holds(url, lost)
    made = prepare(settings_on(url, tmp_path), demo=False).admin_key
    assert made not in (None, lost)
    assert holds(url, str(made))


def test_the_key_of_another_database_is_not_shown(url: str, new_database: Callable[[], str], tmp_path: Path) -> None:
    prepare(settings_on(url, tmp_path / "first"), demo=False)
    prepare(settings_on(new_database(), tmp_path), demo=False)
    assert prepare(settings_on(url, tmp_path), demo=False).admin_key is None
    assert unshown_key(tmp_path) is None


def test_where_it_cannot_be_kept_none_is_made(url: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="cannot be kept"):
        prepare(settings_on(url, tmp_path / "file" / "folder"), demo=False)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM admin_keys").fetchone() == (0,)


def test_a_configured_key_is_changed_where_it_is_configured(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINEX_ADMIN_KEY", "mxadmin_configured")
    with pytest.raises(CommandError, match="MINEX_ADMIN_KEY"):
        run("--new")


def test_a_start_says_that_the_key_is_another_one_now(url: str, tmp_path: Path) -> None:
    said: list[str] = []
    settings = settings_on(url, tmp_path)
    of_one_s_own = dataclasses.replace(settings, exchange=dataclasses.replace(settings.exchange, admin_key="k" * 32))
    for each in (settings, settings, of_one_s_own, of_one_s_own):
        prepare(each, demo=False, tell=said.append)
    assert said == [
        "the administrator's key was made",
        "the administrator's key is another one now, that of the settings",
    ]
