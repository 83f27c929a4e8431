"""What will pass and what will not, as PostgreSQL and its driver really say it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from database.autocommit import autocommitting, committing
from database.errors import is_passing
from database.pipeline import pipeline
from database.session import connect, transaction
from database.statements import AutocommitSession


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url, pool_size=2, statement_timeout=200, lock_timeout=100)
    yield engine
    engine.dispose()


def raised_by(work: Callable[[], object]) -> DBAPIError:
    with pytest.raises(DBAPIError) as error:
        work()
    return error.value


def ask(engine: Engine, statement: str) -> object:
    with transaction(engine) as session:
        found = session.execute(text(statement))
        return found.scalar() if found.returns_rows else None


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT pg_sleep(5)",
        "SELECT pg_terminate_backend(pg_backend_pid())",
        "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(5)",
        "DO $$ BEGIN RAISE SQLSTATE '57P01'; END $$",
        "DO $$ BEGIN RAISE SQLSTATE '57P03'; END $$",
        "DO $$ BEGIN RAISE SQLSTATE '53300'; END $$",
        "DO $$ BEGIN RAISE SQLSTATE '53100'; END $$",
        "DO $$ BEGIN RAISE SQLSTATE '58030'; END $$",
        "DO $$ BEGIN RAISE SQLSTATE '25006'; END $$",
        "DO $$ BEGIN RAISE SQLSTATE '08006'; END $$",
        "DO $$ BEGIN RAISE SQLSTATE '26000'; END $$",
        "DO $$ BEGIN RAISE SQLSTATE '40001'; END $$",
    ],
)
def test_what_will_pass(engine: Engine, statement: str) -> None:
    assert is_passing(raised_by(lambda: ask(engine, statement)))


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 / 0",
        "SELECT 'x'::int",
        "SELECT * FROM nowhere",
        "SELEKT",
        "INSERT INTO orders (id) VALUES (1)",
        "DO $$ BEGIN RAISE SQLSTATE '0A000'; END $$",
        "DO $$ BEGIN RAISE SQLSTATE 'XX001'; END $$",
    ],
)
def test_what_will_not(engine: Engine, statement: str) -> None:
    assert not is_passing(raised_by(lambda: ask(engine, statement)))


def test_a_connection_that_the_driver_knows_to_be_closed(engine: Engine) -> None:
    def closed() -> None:
        with transaction(engine) as session:
            session.connection().connection.driver_connection.close()
            session.scalar(text("SELECT 1"))

    assert is_passing(raised_by(closed))


def test_a_cursor_of_a_connection_that_was_lost() -> None:
    error = psycopg.InterfaceError("the cursor is closed")
    assert is_passing(DBAPIError.instance("", None, error, psycopg.Error))


def test_a_connection_that_is_cut_as_soon_as_it_is_made(engine: Engine, database_url: str) -> None:
    """The pool looks twice and then gives up in words that no caller expects: so it only looks at used ones."""
    with psycopg.connect(database_url, autocommit=True) as other:

        def cut(connection: object, record: object) -> None:
            pid = connection.info.backend_pid  # type: ignore[attr-defined]
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])

        event.listen(engine, "connect", cut)
        assert isinstance(raised_by(lambda: ask(engine, "SELECT 1")), OperationalError)
        event.remove(engine, "connect", cut)
    assert ask(engine, "SELECT 1") == 1


class TestAfterAMigration:
    """Connections remember statements; a table that is another now costs each pool one answer, not every one."""

    @pytest.fixture
    def table(self, engine: Engine) -> Iterator[str]:
        ask(engine, "CREATE TABLE migrated (n int)")
        yield "SELECT * FROM migrated"
        ask(engine, "DROP TABLE migrated")

    def change(self, engine: Engine) -> None:
        ask(engine, "ALTER TABLE migrated ADD COLUMN more int")

    def test_in_a_session(self, engine: Engine, table: str, database_url: str) -> None:
        stale = connect(database_url, pool_size=2, prepares=True)
        for _ in range(10):
            self.ask_on_both(stale, table)
        self.change(engine)
        assert is_passing(raised_by(lambda: ask(stale, table)))
        self.ask_on_both(stale, table)
        stale.dispose()

    def ask_on_both(self, engine: Engine, statement: str) -> None:
        with transaction(engine) as one, transaction(engine) as other:
            one.execute(text(statement))
            other.execute(text(statement))

    def test_in_a_pipeline(self, engine: Engine, table: str, database_url: str) -> None:
        stale = connect(database_url, pool_size=1)

        def send() -> None:
            with transaction(stale) as session, pipeline(session) as sent:
                sent.send(table)

        send()
        self.change(engine)
        assert is_passing(raised_by(send))
        send()
        stale.dispose()

    def test_in_statements_that_commit_themselves(self, engine: Engine, table: str, database_url: str) -> None:
        stale = committing(database_url, pool_size=2)

        def both() -> None:
            with autocommitting(stale) as one, autocommitting(stale) as other:
                for session in (one, other):
                    assert isinstance(session, AutocommitSession | Session)
                    session.execute(text(table))

        for _ in range(10):
            both()
        self.change(engine)
        error = raised_by(both)
        assert is_passing(error)
        assert not error.connection_invalidated  # nothing was done, and that is known
        both()
        stale.dispose()


CANARY = "canary-in-a-row"
REFUSED = {
    "a row": "INSERT INTO users (username, password_hash, role) VALUES ('{}', '{}', 'nobody')",
    "a key": "INSERT INTO assets (code, kind) VALUES ('{}', 'stock'), ('{}', 'stock')",
}


@pytest.mark.parametrize("statement", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("way", ["a session", "a pipeline", "by itself"])
def test_what_an_error_says_has_neither_rows_nor_parameters(database_url: str, statement: str, way: str) -> None:
    statement = statement.format(CANARY, CANARY)
    engine = (committing if way == "by itself" else connect)(database_url, pool_size=1)
    try:
        with pytest.raises(DBAPIError) as refused:
            if way == "by itself":
                with autocommitting(engine) as session:
                    session.execute(text(statement.replace(f"'{CANARY}'", ":value")), {"value": CANARY})
            else:
                with transaction(engine) as session:
                    if way == "a session":
                        session.execute(text(statement.replace(f"'{CANARY}'", ":value")), {"value": CANARY})
                    else:
                        with pipeline(session) as sent:
                            sent.send(statement.replace(f"'{CANARY}'", "$1"), CANARY)
    finally:
        engine.dispose()
    said = "".join(traceback.format_exception(refused.value))
    assert "violates" in said
    assert CANARY not in said
    assert "DETAIL" not in said
