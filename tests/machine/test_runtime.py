"""Given an account that can read neither Python nor the checkout, then it runs copies that root alone may change."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.local.schema import newest_revision
from machine import copies, runtime
from machine.account import Account
from machine.code_copy import code_for
from machine.errors import NotOursError
from machine.runtime import Runtime, runtime_of
from settings.loading import ROOT

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="root only")

TELL = """
import json, os, sys
import api.app, live.app, workers.clock, workers.group
from cli.local.schema import newest_revision
places = {module.__file__ for module in sys.modules.values() if getattr(module, "__file__", None)}
print(json.dumps([os.getuid(), os.getgroups(), newest_revision(), sorted(places)]))
"""


class Blind(Account):
    """One that can read nothing of what there is."""

    def can(self, test: str, path: Path) -> bool:
        return False


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """In the place of /var/lib/minex."""
    folder = Path(tempfile.mkdtemp(prefix="minex-shared-", dir="/tmp"))
    monkeypatch.setattr(copies, "SHARED", folder)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name in ("cli", "cli/local", "tests"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    (tmp_path / "cli" / "__main__.py").write_text("print(1)\n")
    (tmp_path / "wsgi.py").write_text("app = 1\n")
    (tmp_path / "exchange.toml").write_text("[exchange]\nadmin_key = 'mxadmin_of_nobody_else'\n")
    return tmp_path


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix != ".pyc" and path.is_file()}


def test_whoever_is_not_root_runs_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Account, "of_exchange", Account)
    runtime_of.cache_clear()
    found = runtime_of(ROOT)
    runtime_of.cache_clear()
    assert (found.account, found.root, found.warning) == (Account(), ROOT, "")
    assert found.environment({"A": "b"}) == {"A": "b", "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}


@AS_ROOT
def test_the_account_runs_copies_that_root_alone_may_change(shared: Path) -> None:
    account = Account.of_exchange()
    found = runtime._of_account(Blind(account.uid, account.gid, account.name), ROOT)
    environment = found.environment({"MINEX_DATABASE_URL": "postgresql://minex@127.0.0.1:1/none"})
    command = [str(found.python), "-c", TELL]
    told = subprocess.run(command, env=environment, check=True, capture_output=True, **found.spawn_options()).stdout
    uid, groups, revision, places = json.loads(told)
    assert (uid, groups, revision) == (account.uid, [], newest_revision())
    assert [place for place in places if not Path(place).is_relative_to(shared)] == []
    for path in shared.rglob("*"):
        status = path.lstat()
        assert status.st_uid == 0, path
        assert path.is_symlink() or not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH), path


@AS_ROOT
def test_where_the_account_cannot_run_it_root_is_told(monkeypatch: pytest.MonkeyPatch, shared: Path) -> None:
    monkeypatch.setattr(runtime, "python_for", lambda account, root: (Path("/bin/false"), {}))
    runtime_of.cache_clear()
    found = runtime_of(ROOT)
    runtime_of.cache_clear()
    assert found.account == Account()
    assert "runs as root" in found.warning
    assert "/bin/false: exit code 1" in found.warning


def test_nothing_is_copied_to_where_others_may_write(shared: Path, checkout: Path) -> None:
    shared.chmod(0o777)
    with pytest.raises(NotOursError):
        code_for(Blind(), checkout)
    assert list(shared.iterdir()) == []


def test_the_copy_of_the_code_follows_the_checkout(shared: Path, checkout: Path) -> None:
    copy = code_for(Blind(), checkout)
    assert files(copy) == {"cli/__init__.py", "cli/local/__init__.py", "cli/__main__.py", "wsgi.py"}
    first = (copy / "wsgi.py").stat().st_ino
    (checkout / "cli" / "__main__.py").write_text("print(2)\n")
    (checkout / "cli" / "more.py").touch()
    (checkout / "cli" / "local" / "__init__.py").unlink()
    assert code_for(Blind(), checkout) == copy
    assert (copy / "cli" / "__main__.py").read_text() == "print(2)\n"
    assert files(copy) == {"cli/__init__.py", "cli/__main__.py", "cli/more.py", "wsgi.py"}
    assert (copy / "wsgi.py").stat().st_ino == first


def test_a_checkout_that_can_be_read_is_run_where_it_is_and_compiled(checkout: Path) -> None:
    assert code_for(Account(), checkout) == checkout
    assert list((checkout / "cli" / "__pycache__").glob("__main__.*.pyc"))


def test_variables_of_its_own_come_last() -> None:
    found = Runtime(Account(1, 2, "x"), Path("/python"), Path("/code"), {"HOME": "/nonexistent"})
    assert found.environment({"HOME": "/root", "PYTHONPATH": "/else"})["HOME"] == "/nonexistent"
    assert found.environment({"PYTHONPATH": "/else"})["PYTHONPATH"] == "/code"
    assert found.spawn_options() == {"cwd": Path("/code"), "user": 1, "group": 2, "extra_groups": []}
