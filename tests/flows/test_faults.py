"""What may die, and what must be true afterwards: nothing acknowledged is lost, nothing happens twice."""

import contextlib
import os
import signal
import threading
import time

import psutil
import pytest
import redis
import requests

from embedded.postgres import PostgresServer
from tests.flows.exchange import says, until
from tests.roles import bring_newest, with_one_password


@pytest.fixture(scope="module")
def own_postgres(make_server_folder):
    """A durable PostgreSQL that the module may kill."""
    with with_one_password(PostgresServer(make_server_folder())) as server:
        bring_newest(server.url)
        yield server


@pytest.fixture(scope="module")
def database_url(own_postgres):
    return own_postgres.url


@pytest.fixture(autouse=True)
def matching(exchange):
    """Each story begins and ends with one healthy group worker."""
    if exchange.process("match").popen.poll() is not None:
        exchange.start("match")
    yield
    exchange.verify()


class Load:
    """Orders without a pause from a few threads, in the background; what was acknowledged."""

    def __init__(self, exchange, threads=4):
        self.brokers = [exchange.trusted() for _ in range(threads)]
        self.acknowledged = []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._send, args=(one,)) for one in range(threads)]

    def _send(self, thread):
        n = 0
        while not self.stopping.is_set():
            n += 1
            body = {
                "document_number": str(thread), "side": "bid" if (thread + n) % 2 else "ask", "symbol": "PETR4",
                "quantity": 10, "price": 3450 + n % 11, "client_order_id": f"{thread}-{n}",
            }  # fmt: skip
            with contextlib.suppress(requests.RequestException):
                answer = self.brokers[thread].call("POST", "/orders", body)
                if answer.status_code in (200, 201):
                    self.acknowledged.append(answer.json()["order_id"])

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        until(lambda: len(self.acknowledged) > 20, "the load flows")
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def flows(self):
        """Wait until new orders are acknowledged again."""
        before = len(self.acknowledged)
        until(lambda: len(self.acknowledged) > before + 20, "the load flows again")


def assert_nothing_lost(exchange, load):
    exchange.settle()
    stored = exchange.scalar("SELECT count(*) FROM orders WHERE id = ANY(:ids)", ids=load.acknowledged)
    assert stored == len(set(load.acknowledged)) == len(load.acknowledged)
    assert exchange.scalar("SELECT count(*) FROM orders WHERE status = 'pending'") == 0


@pytest.mark.parametrize("point", ["before_commit", "after_commit"])
def test_a_worker_killed_in_its_turn_loses_nothing(exchange, point):
    exchange.process("match").stop()
    with Load(exchange) as load:
        doomed = exchange.start("match", MINEX_FAULT=f"{point}:kill", MINEX_DEBUG="true")
        until(lambda: doomed.popen.poll() == -signal.SIGKILL, "the worker killed itself in its turn")
        load.flows()
        exchange.start("match")
    assert_nothing_lost(exchange, load)


def test_a_worker_killed_again_and_again_loses_nothing(exchange):
    with Load(exchange) as load:
        for _ in range(3):
            time.sleep(0.3)
            exchange.process("match").kill()
            exchange.start("match")
        load.flows()
    assert_nothing_lost(exchange, load)


def test_a_worker_stopped_inside_its_transaction_is_taken_over_and_cannot_commit(exchange):
    exchange.process("match").stop()
    broker = exchange.trusted()
    zombie = exchange.start("match", MINEX_FAULT="before_commit:stop", MINEX_DEBUG="true")
    order = broker.order("bid", 10, 3400)
    until(lambda: psutil.Process(zombie.popen.pid).status() == psutil.STATUS_STOPPED, "the worker stands still")
    exchange.start("match")
    until(lambda: broker.get(f"/orders/{order['order_id']}")["status"] == "open", "another worker took over")
    settled = exchange.scalar("SELECT xmin::text FROM orders WHERE id = :id", id=order["order_id"])
    zombie.send(signal.SIGCONT)
    says(zombie, "trying again")
    assert exchange.scalar("SELECT xmin::text FROM orders WHERE id = :id", id=order["order_id"]) == settled
    zombie.kill()


def test_redis_flushed_under_load_loses_nothing(exchange, own_valkey):
    with Load(exchange) as load:
        for _ in range(5):
            redis.Redis.from_url(own_valkey.url).flushall()
            time.sleep(0.2)
        load.flows()
    assert_nothing_lost(exchange, load)


def test_orders_are_accepted_and_matched_while_redis_is_away(exchange, own_valkey):
    with Load(exchange) as load:
        own_valkey.kill()
        load.flows()
        until(lambda: requests.get(f"{exchange.base}/health", timeout=9).json()["status"] == "degraded", "degraded")
        taken = load.brokers[0].order("bid", 10, 3460, wait=5)
        assert taken["status"] in ("filled", "open", "partially_filled")
        own_valkey.start()
        until(lambda: requests.get(f"{exchange.base}/health", timeout=9).json()["status"] == "up", "up again")
        load.flows()
    assert_nothing_lost(exchange, load)


def is_matched(broker):
    """Wait until a new order has been matched."""
    order = broker.order("bid", 10, 3460)["order_id"]
    until(lambda: broker.get(f"/orders/{order}")["status"] != "pending", "a new order is matched")


def health(exchange, base=None):
    return requests.get(f"{base or exchange.base}/health", timeout=9).json()


@pytest.mark.parametrize("hangs", [True, False], ids=["hangs", "is gone"])
def test_matching_goes_on_while_redis_is_away_and_also_with_a_worker_that_starts_meanwhile(exchange, own_valkey, hangs):
    with Load(exchange) as load:
        if hangs:
            os.kill(own_valkey.pid, signal.SIGSTOP)
        else:
            own_valkey.kill()
        try:
            load.flows()
            is_matched(load.brokers[0])
            until(lambda: "redis" in health(exchange)["missing"], "degraded")
            until(lambda: "redis" in health(exchange, exchange.live_base)["missing"], "live is degraded, too")
            exchange.process("match").kill()
            exchange.start("match")
            is_matched(load.brokers[0])
            load.flows()
        finally:
            if hangs:
                os.kill(own_valkey.pid, signal.SIGCONT)
            else:
                own_valkey.start()
        until(lambda: health(exchange)["status"] == "up", "up again")
        load.flows()
    assert_nothing_lost(exchange, load)


def test_suspended_workers_are_told_of_and_get_one_job_a_stock(exchange, own_valkey):
    broker, client = exchange.trusted(), redis.Redis.from_url(own_valkey.url)
    client.set("rq:suspended", 1)
    says(exchange.process("match"), "suspended")
    orders = [broker.order("bid", 10, 3400)["order_id"] for _ in range(3)]
    found = until(lambda: health(exchange)["waiting"] and health(exchange), "the stock that waits is named")
    assert (found["status"], found["suspended"], found["missing"]) == ("degraded", True, [])
    assert [one["symbol"] for one in found["waiting"]] == ["PETR4"]
    assert client.llen("rq:queue:match.PETR4") == 1
    assert {broker.get(f"/orders/{order}")["status"] for order in orders} == {"pending"}
    client.delete("rq:suspended")
    until(lambda: health(exchange)["status"] == "up", "up again")
    assert {broker.get(f"/orders/{order}")["status"] for order in orders} == {"open"}


def test_postgresql_killed_under_load_loses_nothing(exchange, own_postgres):
    with Load(exchange) as load:
        own_postgres.kill()
        broker = load.brokers[0]
        body = {"document_number": "1", "side": "bid", "symbol": "PETR4", "quantity": 1, "price": 3400}
        answers = []
        until(lambda: answers.append(broker.call("POST", "/orders", body)) or answers[-1].status_code >= 500, "refused")
        refused = answers[-1]
        assert refused.status_code == 503
        assert int(refused.headers["Retry-After"]) > 0
        assert requests.get(f"{exchange.base}/health", timeout=9).status_code == 503
        own_postgres.start()
        exchange.engine.dispose()
        load.flows()
    assert_nothing_lost(exchange, load)
