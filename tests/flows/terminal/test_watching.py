"""Given a running exchange, when somebody watches a stock in the terminal, then he sees its book and its trades."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys

from rich.console import Console
from textual.widgets import Static

from cli.trade.watching import Watching
from client import Exchange
from settings.loading import ROOT
from tests.cli.commands.test_commands import minex
from tests.flows.exchange import RunningExchange, until


def shown(app: Watching, name: str) -> str:
    """That part of the screen, with one blank between words."""
    console = Console(width=60, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(app.query_one(f"#{name}", Static).content)
    return " ".join(capture.get().split())


async def seen(app: Watching, name: str, *words: str) -> None:
    """Wait until the part of the screen shows these words."""
    for _ in range(300):
        if all(word in shown(app, name) for word in words):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{words} are not in\n{shown(app, name)}")


def test_the_ladder_the_tape_and_ones_own_orders(exchange: RunningExchange) -> None:
    own, other = (Exchange(exchange.base, exchange.trusted().api_key, document="1") for _ in range(2))

    async def story() -> None:
        app = Watching(own, own.stock("PETR4"))
        async with app.run_test(size=(100, 30)) as pilot:
            await seen(app, "head", "PETR4", "live")
            await asyncio.to_thread(own.sell, "PETR4", 40, 3_590, wait=5)
            await asyncio.to_thread(other.sell, "PETR4", 60, 3_590, wait=5)
            await asyncio.to_thread(other.buy, "PETR4", 10, 3_480, wait=5)
            await seen(app, "ladder", "100 35.90 2 ● 40", "10 34.80", "1.10 apart")
            await asyncio.to_thread(other.buy, "PETR4", 7, 3_590, wait=5)
            await seen(app, "tape", "35.90", "7", "bought")
            await seen(app, "head", "35.90", "+2.57%")
            await seen(app, "ladder", "93 35.90 2 ● 33")
            exchange.process("live").kill()
            exchange.start("live")
            await asyncio.to_thread(other.cancel_orders)
            await seen(app, "ladder", "33 35.90 1 ● 33", "no spread")
            await pilot.press("q")
        assert app.follower.failure is None

    asyncio.run(story())
    own.cancel_orders()


def test_events_as_json_lines(exchange: RunningExchange) -> None:
    client = Exchange(exchange.base, exchange.trusted().api_key, document="1")
    command = [sys.executable, "-m", "cli", "watch", "petr4", "--json"]
    environment = os.environ | {"MINEX_URL": exchange.base, "MINEX_KEY": client.transport.key or ""}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        assert (first["event"], first["payload"]["depth"]) == ("BOOK_SNAPSHOT", 50)
        client.buy("PETR4", 1, 3_333)
        until(lambda: json.loads(process.stdout.readline())["event"] == "BOOK_DELTA", "the delta is printed")  # type: ignore[union-attr]
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
    client.cancel_orders()


def test_without_a_terminal_json_is_named(exchange: RunningExchange) -> None:
    key = exchange.trusted().api_key
    done = minex("watch", "PETR4", MINEX_URL=exchange.base, MINEX_KEY=key)
    assert (done.returncode, "minex watch PETR4 --json" in done.stderr) == (2, True)
    assert minex("watch", "NONE", MINEX_URL=exchange.base, MINEX_KEY=key).returncode == 4
