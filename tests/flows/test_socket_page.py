"""docs/socketio.md: its payloads are those that are sent, its codes are all that there are, and its client works."""

import json
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from live.refusals import SENTENCES
from settings.loading import ROOT
from tests.flows import socket_story
from tests.flows.exchange import RunningExchange, is_up, until

PAGE = (ROOT / "docs" / "socketio.md").read_text(encoding="utf-8")
EXAMPLES = [
    (section[0], json.loads(example))
    for section in re.findall(r"^### `([A-Z_]+)`$(.*?)(?=^#|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    for example in re.findall(r"```json\n(.*?)```", section[1], re.DOTALL)
]
"""Each event of the page, and what its payload looks like."""

ADMIN_KEY = "mxadmin_of_the_page"


@pytest.fixture(scope="module")
def settings(settings):
    short = replace(settings.identity, access_seconds=30)  # so that its end is told at once
    live = replace(settings.live, heartbeat_seconds=1)
    return replace(settings, exchange=replace(settings.exchange, admin_key=ADMIN_KEY), identity=short, live=live)


@pytest.fixture
def followed(exchange, tmp_path):
    """The page's client, running on PETR4; what it has printed, as the numbers of the events."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    output = tmp_path / "output"
    arguments = [exchange.live_base, exchange.base, exchange.broker().api_key, "PETR4"]
    with output.open("wb") as stream:
        client = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=stream, stderr=subprocess.STDOUT)

    def followed():
        assert client.poll() is None, output.read_text()
        return [int(number) for number in re.findall(r"'sequence': (\d+)", output.read_text())]

    yield followed
    client.kill()
    client.wait()


def test_the_client_misses_nothing_and_repeats_nothing(exchange: RunningExchange, followed):
    buyer, seller = exchange.trusted(), exchange.trusted()

    def trade(times):
        for _ in range(times):
            seller.order("ask", 10, 3500)
            buyer.order("bid", 10, 3500, wait=10)
        return exchange.scalar("SELECT event_sequence FROM stocks WHERE symbol = 'PETR4'")

    last = trade(3)
    until(lambda: followed() == list(range(1, last + 1)), "it has what came before it")
    last = trade(20)
    until(lambda: followed() == list(range(1, last + 1)), "it hears")
    exchange.process("live").kill()
    last = trade(5)
    exchange.start("live")
    is_up(exchange.live_base)
    until(lambda: followed() == list(range(1, last + 1)), "it has what it missed")
    last = trade(5)
    until(lambda: followed() == list(range(1, last + 1)), "it hears again")


def test_every_payload_of_the_page_is_one_that_is_sent(exchange: RunningExchange):
    sent: dict[str, list[dict]] = {}
    for event, payload in socket_story.tell(exchange, ADMIN_KEY):
        sent.setdefault(event, []).append(payload)
    assert {event for event, _ in EXAMPLES} == sent.keys()
    for event, example in EXAMPLES:
        assert any(example.keys() <= payload.keys() for payload in sent[event]), (event, sent[event])


def test_the_snapshots_of_the_page_are_those_of_an_acknowledgement(exchange: RunningExchange):
    (example,) = (json.loads(one) for one in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL) if '"unknown"' in one)
    sent = socket_story.snapshots(exchange)
    assert (example.keys(), example["unknown"]) == (sent.keys(), sent["unknown"])
    assert example["channels"].keys() == sent["channels"].keys()
    for channel, snapshot in example["channels"].items():
        assert snapshot.keys() <= sent["channels"][channel].keys()


def test_every_refusal_is_on_the_page():
    assert [code for code in SENTENCES if f"| `{code}` |" not in PAGE] == []
