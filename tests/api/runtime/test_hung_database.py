"""Given server processes of PostgreSQL that stand still, then every request is answered all the same."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text

from api.intake import backpressure, rules_cache
from tests.api.venue import Venue, an_order, settings_for


@pytest.fixture
def hasty(database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Venue]:
    """One connection of each kind, and statements of half a second at most. Everything is looked up each time."""
    yield from venue_of(database_url, redis_url, monkeypatch, believed=0)


@pytest.fixture
def knowing(database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Venue]:
    """The same, but what has been looked up once is believed: what stores an order is all that is asked for it."""
    yield from venue_of(database_url, redis_url, monkeypatch, believed=60)


def venue_of(database_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch, believed: int) -> Iterator[Venue]:
    """`believed`: for so many seconds."""
    monkeypatch.setattr(rules_cache, "BELIEVED_SECONDS", believed)
    monkeypatch.setattr(backpressure, "LOOK_SECONDS", believed)
    database = {"pool_size": 1, "statement_timeout_ms": 500}
    web = {"key_cache_ms": 1_000 * believed}
    venue = Venue(settings_for(database_url, redis_url, database=database, web=web))
    yield venue
    venue.close()


@contextlib.contextmanager
def stopped(venue: Venue, application: str) -> Iterator[None]:
    """The server processes of this application stand still during the block."""
    pids = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = :name"
    with venue.engine.connect() as connection:
        found = connection.execute(text(pids), {"name": application}).scalars().all()
    assert found
    for pid in found:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def test_an_order_whose_server_process_hangs_is_uncertain_and_the_next_is_taken(knowing: Venue) -> None:
    stock, broker = knowing.list(), knowing.broker()
    broker.order("bid", stock, 1, 3_500)
    body = an_order("bid", stock, 1, client_order_id="uncertain")
    with stopped(knowing, "minex-intake"):
        answer = broker.post("/orders", body)
        assert (answer.status_code, answer.json["code"]) == (503, "outcome_unknown")
        other = knowing.broker()
        assert other.post("/orders", an_order("bid", stock, 1)).status_code == 201
    assert broker.post("/orders", body).status_code in (200, 201)
    assert len(broker.get("/orders")["items"]) == 2


def test_orders_and_health_wait_for_nobody_who_only_reads(hasty: Venue) -> None:
    stock, broker = hasty.list(), hasty.broker()
    broker.order("bid", stock, 1, 3_500)
    client = hasty.app.test_client()
    with hasty.components.database.reading() as slow:
        assert slow.scalar(text("SELECT 1")) == 1
        assert broker.post("/orders", an_order("bid", stock, 1)).status_code == 201
        hasty.components.health_probe.forget()
        assert "postgresql" not in client.get("/health").json["missing"]
        assert client.get("/ready").json == {"ready": True}


def test_a_read_whose_server_process_hangs_is_busy_and_the_next_is_answered(hasty: Venue) -> None:
    broker = hasty.broker()
    broker.get("/balance")
    with stopped(hasty, "minex-web"):
        assert broker.call("GET", "/balance").status_code == 503
        assert broker.call("GET", "/balance").status_code == 200


def test_an_amendment_whose_server_process_hangs_did_nothing(hasty: Venue) -> None:
    stock, broker = hasty.list(), hasty.broker()
    order = broker.order("bid", stock, 10, 3_500)
    hasty.match()
    broker.put(f"/orders/{order}", {"quantity": 11}, Prefer="respond-async")
    hasty.match()
    with stopped(hasty, "minex-writer"):
        answer = broker.put(f"/orders/{order}", {"quantity": 12}, Prefer="respond-async")
        assert (answer.status_code, answer.json["code"]) == (503, "busy")
        again = broker.put(f"/orders/{order}", {"quantity": 13}, Prefer="respond-async")
        assert again.status_code == 202
    hasty.match()
    assert broker.get(f"/orders/{order}")["quantity"] == 13


def test_a_server_process_that_hangs_with_a_balance_stops_only_those_who_need_it(
    hasty: Venue, database_url: str
) -> None:
    stock, broker, other = hasty.list(), hasty.broker(), hasty.broker()
    with psycopg.connect(database_url, application_name="holder") as holder:
        holder.execute("SELECT * FROM balances WHERE broker_id = %s FOR UPDATE", [broker.broker_id])
        with stopped(hasty, "holder"):
            answer = broker.post("/orders", an_order("bid", stock, 1))
            assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (503, "busy", "1")
            assert other.post("/orders", an_order("bid", stock, 1)).status_code == 201
    assert broker.post("/orders", an_order("bid", stock, 1)).status_code == 201
