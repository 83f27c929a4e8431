"""When things go wrong: the right status, nothing half-done, and no stack trace."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, text

from api.access.rights import Access
from api.routes import access_of
from api.runtime.database import Lane
from api.trading import orders as orders_views
from background import Task
from database.autocommit import PooledSession, autocommitting, committing
from database.session import transaction
from queues import names
from queues.heartbeats import Heartbeats
from queues.wakeups import SUSPENDED
from services.operations.lease import CLOCK_LEASE, REPORTER_LEASE, release_lease, take_lease
from tests.api.venue import Venue, an_order, settings_for

CLOSED_PORT = "postgresql://minex@127.0.0.1:1/nowhere"
NO_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture
def hasty(database_url: str, redis_url: str) -> Iterator[Venue]:
    """One connection, and statements of a quarter of a second at most."""
    database = {"pool_size": 1, "statement_timeout_ms": 250}
    venue = Venue(settings_for(database_url, redis_url, database=database))
    yield venue
    venue.close()


@pytest.fixture
def ticking(engine: Engine) -> Iterator[None]:
    """A clock is known to work."""
    with transaction(engine) as session:
        assert take_lease(session, CLOCK_LEASE, "the test's", 3_600)
    yield
    with transaction(engine) as session:
        release_lease(session, CLOCK_LEASE, "the test's")


@pytest.mark.usefixtures("ticking")
class TestHealth:
    """What monitors and load balancers see, without a key."""

    @pytest.mark.parametrize("path", ["/health", "/healthcheck", "/api/v1/health", "/api/v1/healthcheck"])
    def test_says_what_is_missing(self, venue: Venue, path: str) -> None:
        venue.match()
        venue.components.health_probe.forget()
        client = venue.app.test_client()
        found = {"status": "degraded", "missing": ["match-A"], "waiting": [], "suspended": False}
        assert client.get(path).json == found
        head = client.head(path)
        assert (head.status_code, head.data) == (200, b"")
        assert client.get("/ready").json == client.get("/api/v1/ready").json == {"ready": True}

    def test_is_up_when_every_group_has_a_worker_of_its_own(self, database_url: str, redis_url: str) -> None:
        """A group whose name begins like another's does not count for it."""
        venue = Venue(settings_for(database_url, redis_url, match={"groups": ("H", "H-1", "H-1-2")}))
        heartbeats = Heartbeats(venue.components.redis)
        missing = ["match-H", "match-H-1", "match-H-1-2"]
        for group in ("H-1-2", "H-1", "H"):
            venue.components.health_probe.forget()
            assert venue.nobody.get("/health")["missing"] == missing
            heartbeats.beat(group, f"match-{group}-host-1-abc")
            missing.remove(f"match-{group}")
        venue.components.health_probe.forget()
        assert venue.nobody.get("/health")["status"] == "up"
        heartbeats.leave("H-1", "match-H-1-host-1-abc")
        venue.components.health_probe.forget()
        assert venue.nobody.get("/health")["missing"] == ["match-H-1"]
        venue.close()

    def test_a_worker_that_was_not_heard_of_for_long_is_gone(self, venue: Venue) -> None:
        redis = venue.components.redis
        for moment in (time.time() - 60, float("inf")):
            redis.zadd(names.heartbeats("A"), {"match-A-host-9": moment})
            venue.components.health_probe.forget()
            assert venue.nobody.get("/health")["missing"] == ["match-A"]
        redis.delete(names.heartbeats("A"))

    def test_a_clock_that_has_not_been_heard_of_is_missed(self, venue: Venue, engine: Engine) -> None:
        with transaction(engine) as session:
            session.execute(text("UPDATE leases SET expires_at = clock_timestamp() - interval '10 seconds'"))
        venue.components.health_probe.forget()
        assert venue.nobody.get("/health")["missing"] == ["clock", "match-A"]

    def test_a_reporter_is_missed_where_there_has_been_one(self, venue: Venue, engine: Engine) -> None:
        def missing() -> list[str]:
            venue.components.health_probe.forget()
            found: list[str] = venue.nobody.get("/health")["missing"]
            return [name for name in found if name == "reporter"]

        assert missing() == []
        with transaction(engine) as session:
            take_lease(session, REPORTER_LEASE, "one", 60)
        assert missing() == []
        with transaction(engine) as session:
            release_lease(session, REPORTER_LEASE, "one")
        assert missing() == ["reporter"]
        with transaction(engine) as session:
            assert take_lease(session, REPORTER_LEASE, "another", 60)
        assert missing() == []

    def test_what_a_process_does_beside_its_requests_is_missed(self, venue: Venue) -> None:
        def fail() -> None:
            raise RuntimeError("it never works")

        Heartbeats(venue.components.redis).beat("A", "match-A-host-3-abc")
        task = Task("bells", fail, failure="no bell rings", fresh_seconds=0.01)
        venue.components.tasks.add(task).start()
        time.sleep(0.1)
        venue.components.health_probe.forget()
        health = venue.nobody.get("/health")
        assert (health["status"], health["missing"]) == ("degraded", ["bells"])
        task.stop()
        task.fresh_seconds = float("inf")
        venue.components.redis.delete(names.heartbeats("A"))

    def test_names_the_stocks_whose_commands_nobody_takes(self, venue: Venue) -> None:
        Heartbeats(venue.components.redis).beat("A", "match-A-host-2-abc")
        stocks, broker = [venue.list() for _ in range(3)], venue.broker()
        orders = [broker.order("bid", stock, 1, 3_500) for stock in stocks]
        venue.components.health_probe.forget()
        assert venue.nobody.get("/health")["status"] == "up"
        for order_id, age in zip(orders, ("70 s", "0 s", "600 s"), strict=True):
            venue.run(f"UPDATE commands SET created_at = now() - interval '{age}' WHERE order_id = :id", id=order_id)
        venue.components.health_probe.forget()
        health = venue.nobody.get("/health")
        assert (health["status"], health["missing"]) == ("degraded", [])
        assert [(one["symbol"], one["group"]) for one in health["waiting"]] == [(stocks[2], "A"), (stocks[0], "A")]
        assert health["waiting"][0]["seconds"] >= 600
        venue.match()
        venue.components.health_probe.forget()
        assert venue.nobody.get("/health")["status"] == "up"
        venue.components.redis.delete(names.heartbeats("A"))

    def test_says_that_the_workers_are_suspended(self, venue: Venue) -> None:
        venue.components.redis.set(SUSPENDED, 1)
        venue.components.health_probe.forget()
        health = venue.nobody.get("/health")
        assert (health["status"], health["suspended"]) == ("degraded", True)
        venue.components.redis.delete(SUSPENDED)

    def test_without_redis_is_degraded(self, database_url: str) -> None:
        venue = Venue(settings_for(database_url, NO_REDIS))
        health = venue.nobody.get("/health")
        assert (health["status"], health["missing"]) == ("degraded", ["redis"])
        venue.close()

    def test_without_postgresql_is_down(self, redis_url: str) -> None:
        venue = Venue(settings_for(CLOSED_PORT, redis_url))
        client = venue.app.test_client()
        answer = client.get("/health")
        assert (answer.status_code, answer.json["status"]) == (503, "down")
        assert "postgresql" in answer.json["missing"]
        assert client.get("/ready").status_code == 503
        venue.close()


def test_orders_are_taken_without_redis(database_url: str) -> None:
    venue = Venue(settings_for(database_url, NO_REDIS))
    stock, broker = venue.list(), venue.broker()
    order_id = broker.order("bid", stock, 1, 3_500)
    assert broker.delete(f"/orders/{order_id}", Prefer="respond-async").status_code == 202
    assert broker.get(f"/stocks/{stock}/book")["bids"] == []
    venue.close()


def test_without_postgresql_every_route_is_503(redis_url: str) -> None:
    venue = Venue(settings_for(CLOSED_PORT, redis_url))
    access = access_of()
    for rule in venue.app.url_map.iter_rules():
        if access.get(rule.endpoint, Access.ANYONE) is not Access.ANYONE:
            path = re.sub(r"<\w+_id:\w+>", "1", rule.rule.replace("<symbol:symbol>", "STK"))
            for method in rule.methods - {"OPTIONS", "HEAD"}:
                headers = {"Authorization": "Bearer mx_any"}
                answer = venue.app.test_client().open(path, method=method, headers=headers, json={})
                assert (answer.status_code, answer.json["code"]) == (503, "busy"), path
                assert answer.headers["Retry-After"] == "1"
                assert "127.0.0.1" not in answer.text


@pytest.mark.parametrize(("way", "path"), [("reading", "/orders"), ("reading_few", "/balance")])
def test_no_connection_left_is_503(hasty: Venue, way: str, path: str) -> None:
    broker = hasty.broker()
    with getattr(hasty.components.database, way)() as session:
        session.execute(text("SELECT 1"))
        answer = broker.call("GET", path)
    assert (answer.status_code, answer.json["code"]) == (503, "busy")
    assert broker.call("GET", path).status_code == 200


def test_a_statement_that_takes_too_long_is_503_and_did_nothing(hasty: Venue, database_url: str) -> None:
    stock, broker = hasty.list(), hasty.broker()
    with psycopg.connect(database_url) as other:
        other.execute("SELECT * FROM balances WHERE broker_id = %s FOR UPDATE", [broker.broker_id])
        answer = broker.post("/orders", an_order("bid", stock))
        assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (503, "busy", "1")
    assert broker.get("/orders")["items"] == []
    assert broker.get("/balance")["reserved"] == 0
    assert broker.post("/orders", an_order("bid", stock)).status_code == 201


def test_a_connection_that_was_closed_meanwhile_costs_no_order(venue: Venue) -> None:
    stock, broker = venue.list(), venue.broker()
    with venue.components.database.reading() as session:
        pid = session.scalar(text("SELECT pg_backend_pid()"))
    venue.components.keys.remembered._cache_seconds = 60
    assert broker.post("/orders", an_order("bid", stock)).status_code == 201
    venue.run("""
        SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name IN ('minex-web', 'minex-intake', 'minex-writer')
    """)
    assert pid
    assert broker.post("/orders", an_order("bid", stock)).status_code == 201
    venue.components.keys.remembered._cache_seconds = 0
    venue.components.keys.forget()


class TestACommitThatIsLost:
    """A connection that breaks may hide that it was done: the client is told so, and asks again."""

    @pytest.fixture
    def lose(self, venue: Venue, monkeypatch: pytest.MonkeyPatch) -> Any:
        """Cut the connection at the next command, `before` or after it was stored."""
        carried_out = PooledSession._carried_out

        def lose(*, before: bool) -> None:
            def broken(session: PooledSession, statement: Any, work: Any) -> Any:
                if "INSERT INTO" not in statement.text:
                    return carried_out(session, statement, work)
                monkeypatch.undo()
                if before:
                    session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
                carried_out(session, statement, work)
                return session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))

            monkeypatch.setattr(PooledSession, "_carried_out", broken)

        return lose

    @pytest.mark.parametrize(("before", "again"), [(True, 201), (False, 200)])
    def test_an_order_is_found_by_its_client_order_id(self, venue: Venue, lose: Any, before: bool, again: int) -> None:
        stock = venue.list()
        broker = venue.broker(shares={stock: 1})
        body = an_order("bid", stock, client_order_id="lost")
        lose(before=before)
        answer = broker.post("/orders", body)
        assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (503, "outcome_unknown", "1")
        assert "client_order_id" in answer.json["detail"]
        assert broker.post("/orders", body).status_code == again
        assert len(broker.get("/orders")["items"]) == 1
        assert broker.get("/balance")["reserved"] == 350_000

    def test_a_cancel_can_be_repeated(self, venue: Venue, lose: Any) -> None:
        stock, broker = venue.list(), venue.broker()
        order_id = broker.order("bid", stock, 1, 3_500)
        lose(before=False)
        assert broker.delete(f"/orders/{order_id}").json["code"] == "outcome_unknown"
        with venue.matching():
            assert broker.delete(f"/orders/{order_id}").status_code == 204


def test_the_same_client_order_id_from_many_at_once_is_one_order(venue: Venue) -> None:
    stock, broker = venue.list(), venue.broker()
    for round_number in range(5):
        body = an_order("bid", stock, 1, client_order_id=f"race-{round_number}")
        with ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(lambda _, body=body: broker.post("/orders", body), range(12)))
        assert sorted(answer.status_code for answer in answers) == [200] * 11 + [201]
        assert len({answer.json["order_id"] for answer in answers}) == 1
    assert broker.get("/balance")["reserved"] == 5 * 3_500


def test_money_is_never_reserved_twice(venue: Venue) -> None:
    stock, broker = venue.list(), venue.broker(cash=3_500 * 10)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: broker.post("/orders", an_order("bid", stock, 1)), range(32)))
    assert sorted(answer.status_code for answer in answers) == [201] * 10 + [422] * 22
    assert {"available": 0, "reserved": 35_000}.items() <= broker.get("/balance").items()


def test_a_fault_of_ours_is_told_without_its_inside(venue: Venue, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("secret inside")

    broker = venue.broker()
    monkeypatch.setattr(orders_views, "read_order", fail)
    answer = broker.call("GET", "/orders/1", headers={"X-Request-ID": "find-me"})
    assert (answer.status_code, answer.json["code"], answer.json["request_id"]) == (500, "internal_error", "find-me")
    assert "secret" not in answer.text
    assert "find-me" in caplog.text
    assert "secret inside" in caplog.text


class TestRequestId:
    """Echoed where it is harmless, else a new one."""

    @pytest.mark.parametrize("offered", ["a", "req-1/2:3", "x" * 128, "~!@#$%^&*()"])
    def test_is_echoed(self, venue: Venue, offered: str) -> None:
        answer = venue.nobody.call("GET", "/time", headers={"X-Request-ID": offered})
        assert answer.headers["X-Request-ID"] == offered

    @pytest.mark.parametrize("offered", ["", " ", "a b", "x" * 129, "é", "\x1b[31m", "a\tb"])
    def test_is_replaced(self, venue: Venue, offered: str) -> None:
        answer = venue.nobody.call("GET", "/time", headers={"X-Request-ID": offered.encode().decode("latin-1")})
        assert len(answer.headers["X-Request-ID"]) == 32


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", "/orders", {"GET", "HEAD", "OPTIONS", "POST", "DELETE"}),
        ("POST", "/orders/1", {"GET", "HEAD", "OPTIONS", "PUT", "DELETE"}),
        ("DELETE", "/balance", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_another_method_is_405(venue: Venue, method: str, path: str, allowed: set[str]) -> None:
    answer = venue.nobody.call(method, path) if method != "POST" else venue.nobody.post(path, {})
    assert (answer.status_code, answer.json["code"]) == (405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == allowed


def test_another_path_is_404(venue: Venue) -> None:
    answer = venue.nobody.call("GET", "/nowhere")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_private_answers_are_not_kept_by_anybody(venue: Venue) -> None:
    for caller in (venue.broker(), venue.nobody):
        for path in ("/balance", "/orders/9"):
            answer = caller.call("GET", path)
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.headers["X-Frame-Options"] == "DENY"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_a_request_that_met_trouble_is_known_to_the_health_probe_at_once(hasty: Venue) -> None:
    broker = hasty.broker()
    assert hasty.nobody.get("/health")["status"] != "down"
    with hasty.components.database.looking() as session:
        session.execute(text("SELECT 1"))
        assert broker.call("GET", "/balance").status_code == 503
        answer = hasty.nobody.call("GET", "/health")
    assert (answer.status_code, answer.json["status"]) == (503, "down")


def test_an_order_that_found_no_database_is_known_not_to_be_placed(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No connection, nothing sent: "busy", which is safe to repeat, and not "outcome unknown"."""
    stock, broker = venue.list(), venue.broker()
    away = committing(CLOSED_PORT)
    monkeypatch.setitem(venue.components.database.storing, Lane.ORDERS, partial(autocommitting, away))
    answer = broker.post("/orders", an_order("bid", stock))
    assert (answer.status_code, answer.json["code"]) == (503, "busy")
