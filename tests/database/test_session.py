"""Transactions are kept or thrown away as one, and every connection speaks UTC."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import psycopg.sql
import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, TimeoutError

from database.errors import UncertainCommit, is_passing
from database.session import connect, transaction
from embedded.postgres import PostgresServer
from models import Broker, Lease


@pytest.fixture(scope="module")
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url, pool_size=1, application="minex-story", statement_timeout=300)
    yield engine
    engine.dispose()


def leases(engine: Engine) -> int:
    with transaction(engine) as session:
        return session.scalar(select(func.count()).select_from(Lease)) or 0


def test_what_the_block_did_is_committed_at_its_end(engine: Engine) -> None:
    with transaction(engine) as session:
        session.add(Lease(name="clock", holder="one", expires_at=datetime(2030, 1, 1, tzinfo=UTC)))
    with transaction(engine) as session:
        assert session.get_one(Lease, "clock").expires_at == datetime(2030, 1, 1, tzinfo=UTC)


def test_a_block_that_raises_leaves_nothing(engine: Engine) -> None:
    before = leases(engine)
    with pytest.raises(RuntimeError), transaction(engine) as session:
        session.execute(text("INSERT INTO leases VALUES ('x', 'y', now())"))
        raise RuntimeError
    assert leases(engine) == before


def test_a_connection_has_its_name_its_limits_and_utc(engine: Engine) -> None:
    with transaction(engine) as session:
        shown = {
            name: session.scalar(text(f"SHOW {name}"))
            for name in ("application_name", "statement_timeout", "timezone", "transaction_isolation")
        }
        moment = session.scalar(text("SELECT timestamptz '2026-03-02 11:03:22-03'"))
    assert shown == {
        "application_name": "minex-story",
        "statement_timeout": "300ms",
        "timezone": "UTC",
        "transaction_isolation": "read committed",
    }
    assert moment.utcoffset().total_seconds() == 0
    assert moment == datetime(2026, 3, 2, 14, 3, 22, tzinfo=UTC)


def test_no_plan_is_compiled_even_where_the_server_would(postgres_server: PostgresServer, database_url: str) -> None:
    with psycopg.connect(postgres_server.url_of("postgres"), autocommit=True) as administrator:
        name = database_url.rsplit("/", 1)[1]
        administrator.execute(psycopg.sql.SQL("ALTER DATABASE {} SET jit = on").format(psycopg.sql.Identifier(name)))
    engine = connect(database_url, pool_size=1)
    with transaction(engine) as session:
        assert session.scalar(text("SHOW jit")) == "off"
    engine.dispose()


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_any_usual_form_of_the_url_will_do(database_url: str, scheme: str) -> None:
    engine = connect(f"{scheme}://{database_url.partition('://')[2]}", pool_size=1)
    assert leases(engine) >= 0
    engine.dispose()


def test_what_will_pass_and_what_will_not(engine: Engine, database_url: str) -> None:
    with pytest.raises(DBAPIError) as too_slow, transaction(engine) as session:
        session.execute(text("SELECT pg_sleep(1)"))
    with pytest.raises(IntegrityError) as wrong, transaction(engine) as session:
        session.add(Broker(name="A", status="unheard of"))
    with pytest.raises(DBAPIError) as nonsense, transaction(engine) as session:
        session.execute(text("SELECT 1 / 0"))
    away = connect(database_url.rsplit(":", 1)[0] + ":1/none", pool_size=1)
    with pytest.raises(OperationalError) as absent, transaction(away) as session:
        session.execute(text("SELECT 1"))
    busy = connect(database_url, pool_size=1)
    busy.pool._timeout = 0.01
    with pytest.raises(TimeoutError) as taken, transaction(busy) as session:
        session.connection()
        with transaction(busy) as second:
            second.connection()
    passing = [is_passing(error.value) for error in (too_slow, absent, taken)]
    lasting = [is_passing(error.value) for error in (wrong, nonsense)]
    assert (passing, lasting) == ([True] * 3, [False] * 2)
    assert not is_passing(ValueError())


@pytest.fixture
def no_standby(postgres_server: PostgresServer) -> Iterator[psycopg.Connection]:
    """A server that waits for a standby which does not exist, at every commit that asks to be waited for."""
    with psycopg.connect(postgres_server.url_of("postgres"), autocommit=True) as administrator:
        administrator.execute("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
        administrator.execute("SELECT pg_reload_conf()")
        while administrator.execute("SHOW synchronous_standby_names").fetchone() != ("nobody",):
            time.sleep(0.02)
        try:
            yield administrator
        finally:
            administrator.execute("ALTER SYSTEM RESET synchronous_standby_names")
            administrator.execute("SELECT pg_reload_conf()")


def test_a_commit_whose_standby_is_gone_is_never_taken_for_done(engine: Engine, no_standby: psycopg.Connection) -> None:
    """Cancelling the wait for a standby makes PostgreSQL answer COMMIT as done, with a warning."""

    def cancel_the_wait() -> None:
        waiting = "wait_event = 'SyncRep' AND application_name = 'minex-story'"
        for _ in range(500):
            if no_standby.execute(f"SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE {waiting}").rowcount:
                return
            time.sleep(0.02)

    canceller = threading.Thread(target=cancel_the_wait)
    with pytest.raises(UncertainCommit, match="synchronous replication") as unknown, transaction(engine) as session:
        session.execute(text("INSERT INTO leases VALUES ('standby', 'gone', now())"))
        session.execute(text("SET LOCAL synchronous_commit = on"))
        canceller.start()
    canceller.join()
    assert is_passing(unknown.value)
    assert leases(engine) > 0


def test_a_connection_that_was_closed_while_nobody_used_it_is_replaced(engine: Engine, database_url: str) -> None:
    with transaction(engine) as session:
        pid = session.scalar(text("SELECT pg_backend_pid()"))
    with psycopg.connect(database_url, autocommit=True) as other:
        assert other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid]).fetchone() == (True,)
    with transaction(engine) as session:
        assert session.scalar(text("SELECT pg_backend_pid()")) != pid


def test_a_connection_that_ended_without_a_word_is_replaced(engine: Engine) -> None:
    with transaction(engine) as session:
        pid = session.scalar(text("SELECT pg_backend_pid()"))
        driver = session.connection().connection.driver_connection
    with socket.socket(fileno=os.dup(driver.fileno())) as ours:
        ours.shutdown(socket.SHUT_RD)
    with transaction(engine) as session:
        assert session.scalar(text("SELECT pg_backend_pid()")) != pid
