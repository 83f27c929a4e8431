"""A transaction without a Session: committed as a whole or not at all, errors and connections as a Session has them."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from database.errors import UncertainCommit, is_passing
from database.pipeline import committing_pipeline, pipeline
from database.session import connect, transaction
from database.transaction import direct_transaction

STORE = text("INSERT INTO leases (name, holder, expires_at) VALUES (:name, 'me', now())")
NAMES = text("SELECT name FROM leases WHERE name LIKE 'direct%' ORDER BY name")


@pytest.fixture
def names(engine):
    """What is stored, as others see it."""

    def stored():
        with transaction(engine) as session:
            return list(session.scalars(NAMES))

    yield stored
    with transaction(engine) as session:
        session.execute(text("DELETE FROM leases WHERE name LIKE 'direct%'"))


def test_it_is_committed_at_the_end_of_the_block(engine, names):
    with direct_transaction(engine) as session:
        session.execute(STORE, {"name": "direct 1"})
        assert session.scalar(NAMES) == "direct 1"
        assert names() == []
    assert names() == ["direct 1"]


def test_what_raises_is_rolled_back(engine, names):
    with pytest.raises(KeyError), direct_transaction(engine) as session:
        session.execute(STORE, {"name": "direct 1"})
        raise KeyError
    assert names() == []


def test_without_a_statement_no_connection_is_taken():
    away = connect("postgresql://127.0.0.1:1/nowhere", pool_size=1)
    with direct_transaction(away):
        pass
    with pytest.raises(OperationalError) as raised, direct_transaction(away) as session:
        session.execute(STORE, {"name": "direct 1"})
    assert is_passing(raised.value)
    assert not raised.value.connection_invalidated


def test_errors_are_sqlalchemys_and_say_no_values(engine, names):
    with pytest.raises(IntegrityError) as raised, direct_transaction(engine) as session:
        for _ in range(2):
            session.execute(STORE, {"name": "direct secret"})
    assert "secret" not in str(raised.value)
    assert names() == []


def test_it_goes_together_with_pipelines(engine, names):
    with direct_transaction(engine) as session:
        with pipeline(session) as sent:
            sent.send("INSERT INTO leases (name, holder, expires_at) VALUES ($1, 'me', now())", "direct 1")
        session.execute(STORE, {"name": "direct 2"})
        with committing_pipeline(session) as sent:
            sent.send("INSERT INTO leases (name, holder, expires_at) VALUES ($1, 'me', now())", "direct 3")
        assert names() == ["direct 1", "direct 2", "direct 3"]


def test_a_lost_connection_is_a_passing_error_and_is_replaced(engine):
    with pytest.raises(DBAPIError) as raised, direct_transaction(engine) as session:
        session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    assert is_passing(raised.value)
    assert raised.value.connection_invalidated
    with direct_transaction(engine) as session:
        assert session.scalar(text("SELECT 1")) == 1


def test_a_warning_at_its_commit_leaves_it_uncertain(engine, monkeypatch):
    def warn(driver):
        driver.execute("DO $$ BEGIN RAISE WARNING 'it may not last'; END $$")
        monkeypatch.undo()
        driver.commit()

    with pytest.raises(UncertainCommit, match="may not last"), direct_transaction(engine) as session:
        session.execute(text("SELECT 1"))
        monkeypatch.setattr(psycopg.Connection, "commit", warn)
