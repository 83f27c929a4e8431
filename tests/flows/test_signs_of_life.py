"""Every process that a supervisor starts gives signs of life, whatever is away."""

import shutil
import time
from dataclasses import replace

import psutil
import pytest

from cli.supervise.heartbeats import HeartbeatWatch, make_folder
from machine.account import Account
from settings.sections import Database
from tests.flows.exchange import RunningExchange, until

NO_REDIS = "redis://127.0.0.1:1/0"
NO_POSTGRESQL = "postgresql://minex@127.0.0.1:1/nowhere"


@pytest.fixture(params=["everything is there", "Redis and PostgreSQL are away"])
def running(request, settings, tmp_path):
    if "away" in request.param:
        settings = replace(
            settings,
            database=Database(url=NO_POSTGRESQL),
            redis=replace(settings.redis, url=NO_REDIS),
        )
    exchange = RunningExchange(settings, tmp_path)
    yield exchange
    exchange.close()


@pytest.fixture
def folder():
    """Where the account of the exchange may leave signs."""
    made = make_folder(Account.of_exchange())
    yield made
    shutil.rmtree(made)


def test_each_process_beats(running, folder):
    processes = {}
    for name in ("web", "live", "match", "clock", "reporter"):
        HeartbeatWatch(folder / name, Account.of_exchange())
        processes[name] = running.start(name, MINEX_HEARTBEATS=str(folder / name))
    for name, process in processes.items():
        until(lambda name=name: list((folder / name).iterdir()), f"{name} beats")
        first = {file: file.stat().st_mtime for file in (folder / name).iterdir()}
        until(lambda first=first: all(beaten_again(file, at) for file, at in first.items()), f"{name} beats again")
        family = {process.popen.pid, *(one.pid for one in psutil.Process(process.popen.pid).children())}
        assert {int(file.name) for file in first} <= family


def beaten_again(file, at):
    """Later than then, by the clock that all processes share."""
    return at != file.stat().st_mtime <= time.monotonic()
