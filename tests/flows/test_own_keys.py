"""A broker's own keys, in every process that asks for one."""

from __future__ import annotations

import time

from tests.flows.exchange import Broker, RunningExchange
from tests.flows.raw_socket import auth, raw_socket


def test_a_key_that_its_broker_revokes_is_refused_everywhere_within_two_seconds(exchange: RunningExchange) -> None:
    broker, other = exchange.broker(), exchange.broker()
    made = broker.call("POST", "/api-keys", {"name": "Bot", "scopes": ["read", "trade"]})
    assert made.status_code == 201, made.text
    bot = Broker(broker.broker_id, made.json()["api_key"], exchange.base)
    with (
        raw_socket(exchange.settings.live.port) as of_bot,
        raw_socket(exchange.settings.live.port) as of_broker,
        raw_socket(exchange.settings.live.port) as of_other,
    ):
        of_bot.connect(auth(bot.api_key))
        of_broker.connect(auth(broker.api_key))
        of_other.connect(auth(other.api_key))
        assert bot.call("GET", "/balance").status_code == 200
        assert broker.call("DELETE", f"/api-keys/{made.json()['key_id']}").status_code == 204
        refused = bot.call("GET", "/balance")
        assert (refused.status_code, refused.json()["code"]) == (401, "key_revoked")
        began = time.monotonic()
        assert of_bot.answer() == '42["CLOSED",{"code":"key_revoked"}]'
        assert time.monotonic() - began < 2
        with raw_socket(exchange.settings.live.port) as again:
            assert again.connect(auth(bot.api_key))["data"] == {"code": "key_revoked"}
        for stays in (of_broker, of_other):
            assert stays.emit("unsubscribe", {"channels": []}) == {"channels": [], "unknown": []}


def test_a_key_without_the_scope_read_opens_no_socket(exchange: RunningExchange) -> None:
    broker = exchange.broker()
    made = broker.call("POST", "/api-keys", {"name": "Risk", "scopes": ["cancel"]}).json()
    with raw_socket(exchange.settings.live.port) as raw:
        assert raw.connect(auth(made["api_key"]))["data"] == {"code": "scope_missing", "scope": "read"}
