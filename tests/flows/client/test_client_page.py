"""docs/client.md: its program quotes, and knows its position, whatever breaks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from client import Exchange
from settings.loading import ROOT
from tests.flows.exchange import Broker, RunningExchange, until

PAGE = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")


@pytest.fixture
def start(exchange: RunningExchange, tmp_path: Path) -> Iterator[Callable[[Broker], subprocess.Popen[str]]]:
    """Runs the page's program for a broker; the client is there as `minex_client`, as who installs it has it."""
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "bot.py").write_text(program)
    (tmp_path / "minex_client").symlink_to(ROOT / "client")
    started: list[subprocess.Popen[str]] = []

    def run(broker: Broker) -> subprocess.Popen[str]:
        log = (tmp_path / f"{len(started)}.log").open("w")
        command = [sys.executable, "bot.py", exchange.base, broker.api_key, "PETR4"]
        environment = os.environ | {"PYTHONPATH": str(tmp_path)}
        started.append(subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log, text=True))
        log.close()
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.wait()


def lines(folder: Path, number: int) -> list[str]:
    return (folder / f"{number}.log").read_text().splitlines()


def test_the_program_of_the_page_quotes_whatever_breaks(
    exchange: RunningExchange, start: Callable[[Broker], subprocess.Popen[str]], tmp_path: Path
) -> None:
    broker, other = exchange.trusted(), Exchange(exchange.base, exchange.trusted().api_key, document="1")
    program = start(broker)

    def quotes() -> dict[str, int]:
        client = Exchange(exchange.base, broker.api_key)
        return {order["side"]: order["price"] or 0 for order in client.orders(status="open")}

    until(lambda: quotes() == {"bid": 3_499, "ask": 3_501}, "it quotes around the reference")
    other.buy("PETR4", 1, 3_501, wait=5)
    until(lambda: lines(tmp_path, 0) and "position -1 " in lines(tmp_path, 0)[-1], "it knows that it has sold")
    until(lambda: quotes().keys() == {"bid", "ask"}, "it quotes again")
    exchange.process("live").kill()
    exchange.start("live")
    exchange.process("web").kill()
    exchange.start("web")
    other.sell("PETR4", 1, min(quotes().values()), wait=5)
    until(lambda: "position +0 " in lines(tmp_path, 0)[-1], "it knows that it has bought")
    program.kill()
    program.wait()
    assert len(quotes()) == 2
    start(broker)
    until(lambda: lines(tmp_path, 1) and "orders 2" in lines(tmp_path, 1)[-1], "its successor finds its orders")
    count = len(list(Exchange(exchange.base, broker.api_key).orders(status="open")))
    assert count == 2, "and places no others"


def test_the_examples_of_the_page_are_python() -> None:
    for code in re.findall(r"```py\n(.*?)```", PAGE, re.DOTALL):
        compile(code, "docs/client.md", "exec")


def test_the_package_is_what_its_description_says() -> None:
    described = tomllib.loads((ROOT / "client" / "pyproject.toml").read_text())
    assert described["project"]["dependencies"] == ["requests>=2.32"]
    assert described["tool"]["setuptools"]["package-dir"] == {"minex_client": "."}
    assert (ROOT / "client" / "py.typed").exists()
