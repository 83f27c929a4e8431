"""Keys over Socket.IO: counted together with REST's, looked up again, and answered while PostgreSQL cannot."""

import json
import re

import pytest
import redis
import requests
from sqlalchemy import text

from queues.bus import Bus
from tests.flows.exchange import RunningExchange, is_up, until
from tests.flows.raw_socket import auth, raw_socket

GUESSES = 5


@pytest.fixture(scope="module")
def exchange(settings, own_valkey, tmp_path_factory):
    """REST and Socket.IO, where an address may try some keys a minute; Socket.IO has one connection to PostgreSQL."""
    running = RunningExchange(settings, tmp_path_factory.mktemp("exchange"), own_valkey.urls)
    limit = {"MINEX_LIMITS_FAILURES_PER_MINUTE": str(GUESSES)}
    try:
        running.list("PETR4")
        running.start("live", **limit, MINEX_DATABASE_POOL_SIZE="1")
        running.start("web", **limit)
        is_up(running.live_base)
        until(lambda: requests.get(f"{running.base}/health", timeout=5), "web answers")
        yield running
    finally:
        running.close()


@pytest.fixture
def port(exchange):
    return exchange.settings.live.port


def test_a_revoked_key_is_told_so_and_its_connection_ends(exchange, port):
    revoked, other = exchange.broker(), exchange.broker()
    with raw_socket(port) as raw, raw_socket(port) as stays:
        raw.connect(auth(revoked.api_key))
        stays.connect(auth(other.api_key))
        with exchange.engine.begin() as connection:
            statement = text("UPDATE api_keys SET revoked_at = now() WHERE broker_id = :id")
            connection.execute(statement, {"id": revoked.broker_id})
        assert raw.answer() == '42["CLOSED",{"code":"key_revoked"}]'
        assert raw.answer() == "41"
        assert raw.farewell() == (1008, "The API key was revoked.")
        assert stays.emit("unsubscribe", {"channels": []}) == {"channels": [], "unknown": []}


def somebody_waits(exchange):
    with exchange.engine.connect() as connection:
        return connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))


def test_while_postgresql_cannot_answer_everybody_is_told_and_no_room_is_joined(exchange, port):
    broker, room = exchange.broker(), {"channels": ["stock:PETR4"]}
    with raw_socket(port) as first, raw_socket(port) as second, raw_socket(port) as public, raw_socket(port) as member:
        public.connect()
        member.connect()
        member.emit("subscribe", room)
        with exchange.engine.begin() as connection:
            connection.execute(text("LOCK TABLE brokers IN ACCESS EXCLUSIVE MODE"))
            first.send(f"40{auth(broker.api_key)}")  # waits for the lock, on the only connection
            until(lambda: somebody_waits(exchange), "the first waits")
            assert second.connect(auth(broker.api_key))["data"] == {"code": "busy"}
            assert public.emit("subscribe", room)["code"] == "busy"
        lines = [line for line in exchange.process("live").log.read_text().splitlines() if " was refused: " in line]
        assert ["'connect'" in line for line in lines] == [True, False]
        assert len({re.search(r" \[sid=(\S+)\]$", line)[1] for line in lines}) == 2, "each names its socket"
        assert "sid" in json.loads(first.answer()[2:])
        assert "sid" in second.connect(auth(broker.api_key))
        with redis.Redis.from_url(exchange.settings.redis.url) as server:
            Bus(server).announce([{"room": "stock:PETR4", "event": "NEWS", "payload": {}}])
        assert member.answer() == '42["NEWS",{}]'
        assert list(public.emit("subscribe", room)["channels"]) == ["stock:PETR4"], "NEWS is not for it"


def test_unknown_keys_are_counted_over_rest_and_sockets_together(exchange, port):
    broker = exchange.broker()
    with raw_socket(port) as raw:
        codes = [raw.connect(auth(f"mx_guess{number}"))["data"]["code"] for number in range(GUESSES - 1)]
        assert codes == ["unauthenticated"] * (GUESSES - 1)
        headers = {"Authorization": "Bearer mx_guess"}
        statuses = [requests.get(f"{exchange.base}/api/v1/balance", headers=headers, timeout=10).status_code]
        statuses.append(requests.get(f"{exchange.base}/api/v1/balance", headers=headers, timeout=10).status_code)
        assert statuses == [401, 429]
        refused = raw.connect(auth(broker.api_key))["data"]
        assert refused["code"] == "too_many_requests"
        assert 1 <= refused["retry_after"] <= 60
    with raw_socket(port, headers={"X-Forwarded-For": "198.51.100.1", "Forwarded": "for=198.51.100.1"}) as raw:
        assert raw.connect(auth(broker.api_key))["data"]["code"] == "too_many_requests"
        assert "sid" in raw.connect(), "public data has no key that could be guessed"
