"""Given an exchange without people, then the first administrator is let in from the command line."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from cli.commands.admin import command
from cli.terminal import CommandError
from services.identity.people.passwords import is_password

PASSWORD = "six grey geese on a lake"


@pytest.fixture
def url(new_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A database without people, which the command finds by the settings."""
    url = new_database()
    monkeypatch.setenv("MINEX_DATABASE_URL", url)
    monkeypatch.setenv("MINEX_DATA_FOLDER", str(tmp_path))
    return url


def run(monkeypatch: pytest.MonkeyPatch, typed: str, *arguments: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    command.main(["create", *arguments], prog_name="admin", standalone_mode=False)


def people(url: str) -> list[tuple[str, str, str]]:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT username, role, password_hash FROM users ORDER BY id").fetchall()


def test_an_administrator_is_let_in(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, f"{PASSWORD}\n", "--username", "Ana", "--password-stdin")
    ((name, role, stored),) = people(url)
    assert (name, role) == ("ana", "admin")
    assert is_password(PASSWORD, stored)
    with psycopg.connect(url) as connection:
        kind, action = connection.execute("SELECT actor_kind, action FROM audit_log").fetchone() or ("", "")
    assert (kind, action) == ("command_line", "user.let_in")
    said = capsys.readouterr()
    assert "ana is an administrator now" in said.err
    assert PASSWORD not in said.out + said.err


@pytest.mark.parametrize(
    ("typed", "arguments", "expected"),
    [
        ("", ("--password-stdin",), "12 to 128 characters"),
        ("short\n", ("--password-stdin",), "12 to 128 characters"),
        ("password1234\n", ("--password-stdin",), "guessed soon"),
        (f"{PASSWORD}\n", ("--password-stdin", "--username", "a b"), "will not do"),
        (f"{PASSWORD}\n", (), "no terminal"),
    ],
)
def test_what_will_not_do_is_said_and_lets_nobody_in(
    url: str, monkeypatch: pytest.MonkeyPatch, typed: str, arguments: tuple[str, ...], expected: str
) -> None:
    with pytest.raises(CommandError, match=expected):
        run(monkeypatch, typed, *arguments)
    assert people(url) == []


def test_a_name_is_taken_once(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, f"{PASSWORD}\n", "--password-stdin")
    with pytest.raises(CommandError, match="Somebody has this name"):
        run(monkeypatch, f"{PASSWORD}\n", "--password-stdin", "--username", "ADMIN")
    assert len(people(url)) == 1
