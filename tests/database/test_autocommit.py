"""Single statements past the Session: each is committed, and errors look like the Session's."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError, NoResultFound, OperationalError

from database.autocommit import autocommitting, committing

ADD = text("INSERT INTO leases (name, holder, expires_at) VALUES (:name, 'a%b', now())")
FIND = text("SELECT name, holder FROM leases WHERE name = ANY(:names) ORDER BY name")


@pytest.fixture(scope="module")
def engine(database_url: str) -> Iterator[Engine]:
    engine = committing(database_url, pool_size=1)
    yield engine
    engine.dispose()


def test_each_statement_is_committed_when_it_answers(engine: Engine, database_url: str) -> None:
    with autocommitting(engine) as session:
        assert session.execute(ADD, {"name": "one"}) == []
        with psycopg.connect(database_url) as other:
            assert other.execute("SELECT holder FROM leases WHERE name = 'one'").fetchall() == [("a%b",)]


def test_rows_have_names(engine: Engine) -> None:
    with autocommitting(engine) as session:
        session.execute(ADD, {"name": "named"})
        row = session.execute(FIND, {"names": ["named"]}).one()
        assert (row.name, row.holder) == ("named", "a%b")
        assert session.scalars(FIND, {"names": ["named"]}) == ["named"]
        assert session.scalar(FIND, {"names": []}) is None
        with pytest.raises(NoResultFound):
            session.execute(FIND, {"names": []}).one()


def test_a_refused_statement_leaves_the_connection_as_it_was(engine: Engine) -> None:
    with autocommitting(engine) as session:
        session.execute(ADD, {"name": "twice"})
        with pytest.raises(IntegrityError) as refused:
            session.execute(ADD, {"name": "twice"})
        assert not refused.value.connection_invalidated
        assert session.scalar(text("SELECT 1")) == 1


def test_a_lost_connection_is_told_and_replaced(engine: Engine) -> None:
    with autocommitting(engine) as session:
        with pytest.raises(OperationalError) as lost:
            session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        assert lost.value.connection_invalidated
        assert session.scalar(text("SELECT 1")) == 1


def test_a_server_that_is_away_has_done_nothing() -> None:
    away = committing("postgresql://minex@127.0.0.1:1/nowhere")
    with autocommitting(away) as session, pytest.raises(OperationalError) as refused:
        session.execute(text("SELECT 1"))
    assert not refused.value.connection_invalidated, "nothing was sent, so nothing can have been done"
