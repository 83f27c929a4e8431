"""Given ./minex somewhere on a machine, when it is called, then it runs the checkout's own code, whatever surrounds it.

The environment is a stand-in that prints what it was started with; only `test_install.py` makes a real one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from settings.loading import ROOT

PYTHON = """#!/bin/sh
echo "arguments: $*"
echo "path: $PYTHONPATH safe: $PYTHONSAFEPATH home: ${PYTHONHOME:-none}"
echo "called as: $MINEX_COMMAND"
[ -z "${PYTHONDONTWRITEBYTECODE:-}" ] || echo "compiles everything again"
pwd
"""


def stamp(path: Path) -> str:
    with path.open("rb") as file:
        return subprocess.run(["cksum"], stdin=file, capture_output=True, check=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "a checkout" / "minex"
    (root / "cli").mkdir(parents=True)
    shutil.copy(ROOT / "minex", root / "minex")
    (root / "cli" / "install.py").write_text(
        "import sys; print('installing', *sys.argv[2:], file=sys.stderr); sys.exit(7)"
    )
    for name in ("requirements.txt", "requirements-dev.txt"):
        (root / name).write_text(f"# {name}\n")
    bin_folder = root / ".venv" / "bin"
    bin_folder.mkdir(parents=True)
    (bin_folder / "python").write_text(PYTHON)
    (bin_folder / "python").chmod(0o755)
    (root / ".venv" / "requirements.txt.installed").write_text(stamp(root / "requirements.txt"))
    return root


def call(
    program: Path, *arguments: str, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=30
    )


def test_with_an_empty_environment_from_anywhere(checkout: Path, tmp_path: Path) -> None:
    done = call(checkout / "minex", "status", "--json", cwd=tmp_path)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "arguments: -m cli status --json",
        f"path: {checkout} safe: 1 home: none",
        f"called as: {checkout / 'minex'}",
        str(tmp_path),
    ]


def test_through_symbolic_links(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "first").symlink_to("../a checkout/minex/minex")
    (tmp_path / "second").symlink_to(tmp_path / "bin" / "first")
    assert f"path: {checkout} " in call(tmp_path / "second", "status").stdout


def test_the_users_python_settings_do_not_get_in(checkout: Path) -> None:
    done = call(checkout / "minex", "up", PYTHONPATH="/elsewhere", PYTHONHOME="/elsewhere", CDPATH="/usr:/")
    assert f"path: {checkout} safe: 1 home: none" in done.stdout


def test_compiled_modules_are_kept_whatever_the_user_does_elsewhere(checkout: Path) -> None:
    assert "compiles" not in call(checkout / "minex", "up", PYTHONDONTWRITEBYTECODE="1").stdout


def test_changed_requirements_are_installed_first(checkout: Path) -> None:
    (checkout / "requirements.txt").write_text("# another\n")
    done = call(checkout / "minex", "status", PATH=os.environ["PATH"])
    assert done.returncode == 7
    assert done.stdout == ""
    assert done.stderr.strip() == f"installing requirements.txt={stamp(checkout / 'requirements.txt').strip()}"


def test_the_tests_need_more_than_the_exchange(checkout: Path) -> None:
    done = call(checkout / "minex", "test", PATH=os.environ["PATH"])
    assert "requirements-dev.txt=" in done.stderr
    (checkout / ".venv" / "requirements-dev.txt.installed").write_text(stamp(checkout / "requirements-dev.txt"))
    assert "arguments: -m cli test" in call(checkout / "minex", "test").stdout


def test_without_a_python_the_message_says_what_to_install(checkout: Path, tmp_path: Path) -> None:
    shutil.rmtree(checkout / ".venv")
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "cksum", "cat", "dirname", "readlink"):
        (tools / name).symlink_to(shutil.which(name) or name)
    done = call(checkout / "minex", "up", PATH=str(tools))
    assert done.returncode == 1
    assert "Python 3.11 or later" in done.stderr
    assert "apt-get install" in done.stderr


def test_it_is_plain_posix_shell() -> None:
    text = (ROOT / "minex").read_text()
    assert text.startswith("#!/bin/sh\n")
    assert os.access(ROOT / "minex", os.X_OK)
    assert subprocess.run(["sh", "-n", ROOT / "minex"], check=False).returncode == 0
