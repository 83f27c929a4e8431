"""Given a command line, then this output, on this stream, with this exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.main import COMMANDS
from settings.loading import ROOT


def minex(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {name: value for name, value in os.environ.items() if not name.startswith("MINEX_")}
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=ROOT,
        env=known | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_help_names_every_command_and_imports_none() -> None:
    done = minex("--help")
    assert done.returncode == 0
    assert all(f" {name} " in done.stdout for name in ("up", "down", "status", "doctor", "run", "migrate", "test"))
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "cli", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    assert not [name for name in ("sqlalchemy", "alembic", "psycopg", "flask") if f"| {name}\n" in loaded]


@pytest.mark.parametrize("name", ["up", "down", "status", "doctor", "run", "migrate", "test"])
def test_every_command_has_help(name: str) -> None:
    done = minex(name, "--help")
    assert done.returncode == 0
    assert COMMANDS[name]


def test_version() -> None:
    assert minex("--version").stdout.startswith("minex 0.")


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (["up", "--prot", "1"], {}, "✗ No such option"),
        (["bogus"], {}, "✗ No such command 'bogus'.\n  minex --help\n"),
        (["up", "--port", "abc"], {}, "✗ Invalid value for '--port': 'abc' is no whole number.\n  minex up --help\n"),
        (["replay", "--url"], {}, "✗ Option '--url' requires an argument.\n  minex --help\n"),
        (["verify", "--database-url", "x"], {}, "✗ Invalid value for '--database-url': it must be like postgresql://"),
        (["up"], {"MINEX_WEB_PORT": "abc"}, "✗ MINEX_WEB_PORT = 'abc': expected a whole number from 0 to 65535"),
        (["status"], {"MINEX_WEB_PROT": "1"}, "✗ MINEX_WEB_PROT: no such setting; did you mean 'MINEX_WEB_PORT'?"),
    ],
)
def test_a_wrong_command_line_or_setting(arguments: list[str], environment: dict[str, str], message: str) -> None:
    done = minex(*arguments, **environment)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith(message)
    assert "Traceback" not in done.stderr


def test_status_of_nothing(tmp_path: Path) -> None:
    done = minex("status", "--data-folder", str(tmp_path))
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.splitlines()[-1] == "  minex up"
    done = minex("status", "--json", "--data-folder", str(tmp_path))
    assert done.returncode == 3
    assert json.loads(done.stdout) == {"running": False, "data_folder": str(tmp_path)}


def test_down_of_nothing_is_harmless(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        done = minex("down", "--data-folder", str(folder))
        assert (done.returncode, done.stdout) == (0, "Minex was not running.\n")
    assert not (tmp_path / "absent").exists()


def test_a_process_by_itself_needs_the_servers(tmp_path: Path) -> None:
    done = minex("run", "clock", MINEX_DATA_FOLDER=str(tmp_path))
    assert done.returncode == 3
    assert "minex up" in done.stderr


def test_doctor_tells_what_is_wrong_and_how_to_mend_it(tmp_path: Path) -> None:
    done = minex("doctor", "--json", MINEX_DATA_FOLDER=str(tmp_path), MINEX_REDIS_URL="redis://127.0.0.1:1/0")
    assert done.returncode == 1
    findings = {finding["subject"]: finding for finding in json.loads(done.stdout)}
    assert findings["Python"]["is_well"]
    assert not findings["Redis"]["is_well"]
    assert findings["Redis"]["mend"]
    text = minex("doctor", MINEX_DATA_FOLDER=str(tmp_path), MINEX_REDIS_URL="redis://127.0.0.1:1/0").stdout
    assert "✗ Redis" in text
    assert "→ see [redis] url" in text
