"""Given root, then the exchange has an account of its own, and everything that an earlier start gave to another one.

What only root can do is tried as root; `useradd` is a stand-in that makes nobody.
"""

from __future__ import annotations

import os
import pwd
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from machine import account as module
from machine.account import OWN, SHARED, Account
from machine.errors import MachineError

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="root only")

USERADD = """#!/bin/sh
echo "$*" >>{folder}/calls
[ {code} != 0 ] || sleep 0.1
[ {code} != 0 ] || touch {folder}/made
exit {code}
"""


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Makes a machine that we are root of, with these accounts, and a `useradd` that ends so; None for none."""

    def make(*known: str, code: int | None = 0) -> None:
        def entry(name: str) -> types.SimpleNamespace:
            if name in known or (name == OWN and (tmp_path / "made").exists()):
                return types.SimpleNamespace(pw_uid=100 + len(name), pw_gid=100 + len(name))
            raise KeyError(name)

        monkeypatch.setattr(pwd, "getpwnam", entry)
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        monkeypatch.setattr(module, "PLACES", str(tmp_path))
        monkeypatch.setattr(module, "LOCK", tmp_path / "lock")
        if code is not None:
            program = tmp_path / "useradd"
            program.write_text(USERADD.format(folder=tmp_path, code=code))
            program.chmod(0o755)
        module._of_root.cache_clear()

    yield make
    module._of_root.cache_clear()


def calls(folder: Path) -> list[str]:
    path = folder / "calls"
    return path.read_text().splitlines() if path.exists() else []


def test_the_account_is_made_once(machine: Callable[..., None], tmp_path: Path) -> None:
    machine("nobody")
    account = Account.of_exchange()
    assert (account.name, account.is_shared) == (OWN, False)
    (call,) = calls(tmp_path)
    assert call.split()[0] == "--system"
    assert call.split()[-1] == OWN
    module._of_root.cache_clear()
    assert Account.of_exchange() == account
    assert calls(tmp_path) == [call]


def test_two_starts_at_once_make_it_once(machine: Callable[..., None], tmp_path: Path) -> None:
    """The second `useradd` would give it another number."""
    machine("nobody")
    starts = [threading.Thread(target=Account.of_exchange) for _ in range(4)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    assert len(calls(tmp_path)) == 1
    assert Account.of_exchange().name == OWN


@pytest.mark.parametrize("code", [None, 12])
def test_where_it_cannot_be_made_another_stands_in(machine: Callable[..., None], code: int | None) -> None:
    machine("nobody", "daemon", code=code)
    account = Account.of_exchange()
    assert (account.name, account.is_shared) == ("nobody", True)


def test_who_only_looks_makes_nothing(machine: Callable[..., None], tmp_path: Path) -> None:
    machine("daemon")
    assert Account.of_exchange(make=False).name == "daemon"
    assert calls(tmp_path) == []


def test_without_any_account_root_is_told(machine: Callable[..., None]) -> None:
    machine(code=None)
    with pytest.raises(MachineError, match=OWN):
        Account.of_exchange()


@pytest.mark.skipif(os.geteuid() == 0, reason="not for root")
def test_who_is_not_root_stays_who_he_is() -> None:
    assert Account.of_exchange() == Account()


@AS_ROOT
def test_what_an_earlier_start_has_given_to_nobody_is_taken_over(tmp_path: Path) -> None:
    nobody, account = pwd.getpwnam(SHARED[0]).pw_uid, Account(54321, 54321, "somebody")
    folder = tmp_path / "data"
    (folder / "base").mkdir(parents=True)
    (folder / "base" / "1").write_text("rows")
    (tmp_path / "outside").write_text("root's")
    (folder / "link").symlink_to(tmp_path / "outside")
    (folder / "ours").write_text("root's")
    for path in (folder, folder / "base", folder / "base" / "1", folder / "link"):
        os.chown(path, nobody, nobody, follow_symlinks=False)
    account.take_over(folder)
    given = [folder, folder / "base", folder / "base" / "1", folder / "link"]
    assert {path.lstat().st_uid for path in given} == {54321}
    assert {path.stat().st_uid for path in (folder / "ours", tmp_path / "outside")} == {0}


@AS_ROOT
def test_what_is_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    os.chown(tmp_path, 4_321, 4_321)
    Account(54321, 54321, "somebody").take_over(tmp_path)
    assert tmp_path.stat().st_uid == 4_321
