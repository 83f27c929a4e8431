"""Given `minex up`, when nothing else is said, then there is a market that lives; and a second one by command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from settings.loading import ROOT
from tests.flows.exchange import until


def minex(*arguments: str, **known: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MINEX_")}
    environment = {**inherited, "PYTHONPATH": str(ROOT), **known}
    command = [sys.executable, "-m", "cli", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


def up(folder: Path, *more: str) -> dict[str, Any]:
    done = minex("up", "--detach", "--port", "0", "--json", "--data-folder", str(folder), *more)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def processes(folder: Path) -> list[str]:
    shown = json.loads(minex("status", "--json", "--data-folder", str(folder)).stdout)
    return [process["name"] for process in shown["processes"]]


@pytest.fixture
def folder(make_server_folder: Callable[[], Path]) -> Iterator[Path]:
    place = make_server_folder() / "exchange"
    yield place
    minex("down", "--data-folder", str(place))


def traded(url: str) -> int:
    items = requests.get(f"{url}/api/v1/ticker", timeout=10).json()["items"]
    return sum(item["day"]["trade_count"] for item in items)


def test_a_market_lives_from_the_first_start(folder: Path) -> None:
    url = up(folder)["url"]
    assert "simulator" in processes(folder)
    until(lambda: traded(url) > 3, "there are trades")
    book = requests.get(f"{url}/api/v1/stocks/PETR4/book", timeout=10).json()
    assert book["bids"]
    assert book["asks"]

    run = ("--stocks", "petr4,VALE3", "--rate", "80", "--seconds", "4", "--seed", "9", "--json")
    done = minex("simulator", *run, MINEX_DATA_FOLDER=str(folder))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["seed"] == 9
    assert report["sent"] > 40
    assert "trading PETR4, VALE3" in done.stderr
    assert "cancelled" in done.stderr

    verified = minex("verify", "--replay", MINEX_DATA_FOLDER=str(folder))
    assert verified.returncode == 0, verified.stdout + verified.stderr
    stopped = minex("down", "--data-folder", str(folder))
    assert "by force" not in (folder / "log" / "minex.log").read_text(), stopped.stdout


def test_nobody_trades_where_that_is_said(folder: Path) -> None:
    started = up(folder, "--no-simulator")
    assert "simulator" not in processes(folder)
    assert traded(started["url"]) == 0
    brokers = requests.get(
        f"{started['url']}/api/v1/brokers", headers={"Authorization": f"Bearer {started['admin_key']}"}, timeout=10
    ).json()["items"]
    assert len(brokers) == 3

    elsewhere = minex("simulator", "--url", "http://127.0.0.1:9", MINEX_DATA_FOLDER=str(folder))
    assert elsewhere.returncode == 1
    assert "Say for whom" in elsewhere.stderr
    named = {"MINEX_ADMIN_KEY": started["admin_key"], "MINEX_DATA_FOLDER": str(folder / "nowhere")}
    run = ("--url", started["url"], "--stocks", "PETR4", "--rate", "50", "--seconds", "3")
    done = minex("simulator", *run, **named)
    assert done.returncode == 0, done.stderr
    assert "export MINEX_SIMULATOR_MAKERS_KEY=mx_" in done.stderr
    assert traded(started["url"]) > 0
    nothing = minex("simulator", "--stocks", "NONE1", MINEX_DATA_FOLDER=str(folder))
    assert nothing.returncode == 1
    assert "✗ None of NONE1 is listed here." in nothing.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--stocks", ","), "no symbol is in it"),
        (("--rate", "0"), "--rate"),
        (("--speed", "0"), "--speed"),
        (("--makers-key", "mx_x", "--url", "http://127.0.0.1:9"), "name both"),
    ],
)
def test_what_cannot_be_is_refused(arguments: tuple[str, ...], words: str, tmp_path: Path) -> None:
    done = minex("simulator", *arguments, MINEX_DATA_FOLDER=str(tmp_path))
    assert done.returncode in (1, 2)
    assert words in done.stderr


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("MINEX_SIMULATOR_CLUSTERING", "100", "expected a whole number from 0 to 99"),
        ("MINEX_SIMULATOR_RATE", "0", "expected a whole number from 1 to 10000"),
        ("MINEX_SIMULATOR_STOCKS", "PETR4,a b", "expected symbols of stocks"),
        ("MINEX_SIMULATOR_MAKERS_KEY", "mx_short", "expected an API key"),
    ],
)
def test_settings_that_cannot_be_are_refused(variable: str, value: str, expected: str, tmp_path: Path) -> None:
    done = minex("run", "simulator", MINEX_DATA_FOLDER=str(tmp_path), **{variable: value})
    assert done.returncode == 2
    assert expected in done.stderr
    assert "mx_short" not in done.stderr
