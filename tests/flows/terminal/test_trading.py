"""Given a running exchange, when somebody trades in the terminal, then he sees what came of it, as programs do."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.cli.commands.test_commands import minex
from tests.flows.exchange import Broker, RunningExchange


@pytest.fixture(scope="module")
def seller(exchange: RunningExchange) -> Broker:
    return exchange.broker(cash=10**8, positions={"PETR4": 1_000})


@pytest.fixture(scope="module")
def buyer(exchange: RunningExchange) -> Broker:
    return exchange.broker(cash=10**8)


def call(broker: Broker, *arguments: str) -> subprocess.CompletedProcess[str]:
    done = minex(*arguments, MINEX_URL=broker.base, MINEX_KEY=broker.api_key)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def test_from_the_order_to_the_position(seller: Broker, buyer: Broker) -> None:
    placed = call(seller, "order", "sell", "petr4", "100", "@", "35.90")
    assert placed.returncode == 0
    assert placed.stdout.endswith("sell 100 PETR4 @ 35.90  open\n")
    taken = call(buyer, "order", "BUY", "PETR4", "40", "@36", "--id", "mine")
    assert "filled" in taken.stdout
    assert "  40 filled at 35.90 on average" in taken.stdout
    again = call(buyer, "order", "buy", "PETR4", "40", "36,00", "--id", "mine", "--json")
    assert json.loads(again.stdout)["filled_quantity"] == 40
    orders = call(seller, "orders")
    assert [line.split()[:7] for line in orders.stdout.splitlines()[1:]] == [
        [placed.stdout.split()[1], "PETR4", "sell", "limit", "35.90", "100", "40"],
    ]  # fmt: skip
    assert call(seller, "cancel", placed.stdout.split()[1]).stderr == "1 order will not trade any more\n"
    assert call(seller, "orders").stderr.startswith("No orders work.")
    assert json.loads(call(seller, "orders", "--json").stdout) == []
    assert len(json.loads(call(seller, "orders", "--all", "--json").stdout)) == 1
    shown = call(buyer, "positions").stdout
    assert shown.splitlines()[1].split()[:4] == ["PETR4", "40", "0", "35.90"]
    assert "cash 998,564.00, reserved 0.00" in shown
    assert json.loads(call(buyer, "positions", "--json").stdout)["positions"][0]["available"] == 40


def test_every_kind_of_order(buyer: Broker) -> None:
    market = call(buyer, "order", "buy", "PETR4", "10")
    assert (market.returncode, "expired" in market.stdout) == (0, True)
    stop = json.loads(call(buyer, "order", "buy", "PETR4", "10", "--stop", "37.00", "--json").stdout)
    assert (stop["order_type"], stop["stop_price"], stop["status"]) == ("stop", 3_700, "untriggered")
    limit = json.loads(
        call(buyer, "order", "buy", "PETR4", "10", "@", "37", "--stop", "37", "--tif", "day", "--json").stdout
    )
    assert (limit["order_type"], limit["time_in_force"]) == ("stop_limit", "day")
    call(buyer, "order", "buy", "PETR4", "100", "@", "34", "--display", "10", "--post-only")
    assert call(buyer, "cancel", "--all").stderr == "3 orders cancelled\n"
    assert json.loads(call(buyer, "cancel", "--all", "--json").stdout) == {"cancelled": 0}


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("order", "buy", "PETR4", "1", "@", "90.00"), 4, "(price_outside_band)"),
        (("order", "sell", "PETR4", "9999999", "@", "35"), 4, "(insufficient_shares)"),
        (("order", "buy", "NONE", "1", "@", "35"), 4, "There is no stock NONE."),
        (("order", "buy", "PETR4", "1", "@"), 2, "A price is missing after @."),
        (("order", "buy", "PETR4", "1", "@", "3.5.5"), 2, "is no price"),
        (("order", "hold", "PETR4", "1"), 2, "hold"),
        (("order", "buy", "PETR4", "0"), 2, "0"),
        (("cancel",), 2, "Say which orders"),
        (("cancel", "1", "--all"), 2, "Say which orders"),
        (("cancel", "999999"), 4, "(unknown_order)"),
        (("positions", "--broker", "x", "--key", "a b"), 2, "not an API key"),
    ],
)
def test_what_cannot_be_is_said_with_its_exit_code(
    buyer: Broker, arguments: tuple[str, ...], status: int, said: str
) -> None:
    done = call(buyer, *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
    assert done.stderr.startswith("✗ ")


def test_nobody_there_and_nobody_named() -> None:
    nowhere = minex("orders", MINEX_URL="http://127.0.0.1:1", MINEX_KEY="mx_x")
    assert (nowhere.returncode, "No exchange answers" in nowhere.stderr) == (3, True)
    nobody = minex("orders", MINEX_URL="http://127.0.0.1:1")
    assert (nobody.returncode, "Say for whom" in nobody.stderr) == (1, True)
    wrong = minex("buy", "PETR4")
    assert "Did you mean 'order'?" in wrong.stderr
