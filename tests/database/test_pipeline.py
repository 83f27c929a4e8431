"""Several statements in one round trip: literals that PostgreSQL reads back as they were, errors as SQLAlchemy's."""

import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from database.errors import UncertainCommit, is_passing
from database.literals import numbers, texts, words
from database.pipeline import committing_pipeline, pipeline
from database.session import connect, transaction


@pytest.mark.parametrize(
    ("kind", "literal", "values"),
    [
        ("bigint", numbers, []),
        ("bigint", numbers, [0]),
        ("bigint", numbers, [1, None, -(2**63), 2**63 - 1, None]),
        ("bigint", numbers, [None]),
        ("text", words, ["bid", None, "partially_filled"]),
        ("text", words, []),
        ("text", texts, []),
        ("text", texts, ["", None, "NULL", 'a "b", {c}\\', "tab\t\nline 'q' %s $1 :x", "ação €"]),
    ],
)
def test_an_array_is_read_back_as_it_was(engine, kind, literal, values):
    with transaction(engine) as session, pipeline(session) as sent:
        answer = sent.send(f"SELECT $1::{kind}[] AS found", literal(values))
    (row,) = answer
    assert row.found == values


def test_a_tuple_of_one_is_an_array_too():
    assert numbers((7,)) == "{7}"


def test_statements_see_what_those_before_them_did_and_commit_together(engine):
    with transaction(engine) as session:
        with pipeline(session) as sent:
            sent.send("INSERT INTO leases (name, holder, expires_at) VALUES ($1, 'me', now())", "one")
            answer = sent.send("SELECT holder FROM leases WHERE name = $1", "one")
        assert [row.holder for row in answer] == ["me"]
        session.execute(text("UPDATE leases SET holder = 'you' WHERE name = 'one'"))
    with transaction(engine) as session:
        assert session.scalar(text("SELECT holder FROM leases WHERE name = 'one'")) == "you"


def test_an_error_is_sqlalchemys_and_leaves_the_connection_usable(engine):
    with pytest.raises(IntegrityError) as raised, transaction(engine) as session, pipeline(session) as sent:
        sent.send("INSERT INTO leases (name, holder, expires_at) VALUES ('two', 'me', now())")
        sent.send("INSERT INTO leases (name, holder, expires_at) VALUES ('two', 'me', now())")
        sent.send("SELECT 1")
    assert raised.value.orig.sqlstate == "23505"
    assert not is_passing(raised.value)
    with transaction(engine) as session:
        assert session.scalar(text("SELECT count(*) FROM leases WHERE name = 'two'")) == 0


@pytest.mark.parametrize("failing", [0, 1, 20, 39])
def test_an_error_is_the_first_one_wherever_it_comes(engine, failing):
    """It may arrive while later statements still leave, or with their answers."""
    for _ in range(10):
        with pytest.raises(DataError, match="division by zero"), transaction(engine) as session:
            with pipeline(session) as sent:
                for number in range(40):
                    divisor = "0" if number == failing else "1"
                    sent.send("SELECT 1 / $1::bigint, pg_sleep(0.0001), repeat('x', 10000)", divisor)
            raise AssertionError("nothing was raised")
        with transaction(engine) as session, pipeline(session) as sent:
            answer = sent.send("SELECT 7 AS seven")
        assert [row.seven for row in answer] == [7]


@pytest.mark.parametrize("statements", [1, 3])
@pytest.mark.parametrize("rounds", [1, 2])
def test_a_transaction_that_idles_after_a_pipeline_is_ended(engine, database_url, statements, rounds):
    """A Flush after the last Sync would stop PostgreSQL's clock, and a worker that hangs would keep its locks."""
    impatient = connect(database_url, pool_size=1, idle_in_transaction_session_timeout=50)
    for _ in range(5):
        with pytest.raises(DBAPIError) as raised, transaction(impatient) as session:
            for _ in range(rounds):
                with pipeline(session) as sent:
                    for number in range(statements):
                        sent.send(f"SELECT pg_backend_pid() AS pid, {number}")
                    answer = sent.send("SELECT pg_backend_pid() AS pid")
            (row,) = answer
            until_gone(engine, row.pid)
        assert is_passing(raised.value)


def until_gone(engine, pid):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with transaction(engine) as session:
            if not session.scalar(text("SELECT count(*) FROM pg_stat_activity WHERE pid = :pid"), {"pid": pid}):
                return
    raise AssertionError("the transaction idles on")


STORE = "INSERT INTO leases (name, holder, expires_at) VALUES ($1, 'me', now())"


def names(engine):
    with transaction(engine) as session:
        return set(session.scalars(text("SELECT name FROM leases")))


def test_a_committing_pipeline_has_committed_when_it_is_over_and_nothing_is_left_for_the_session(engine):
    with transaction(engine) as session:
        with pipeline(session) as sent:
            sent.send(STORE, "first way")
        with committing_pipeline(session) as sent:
            sent.send(STORE, "second way")
        assert names(engine) >= {"first way", "second way"}
        assert session.connection().connection.driver_connection.info.transaction_status.name == "IDLE"


def test_an_error_before_the_commit_that_is_on_its_way_commits_nothing(engine):
    with pytest.raises(DataError), transaction(engine) as session:
        with pipeline(session) as sent:
            sent.send(STORE, "third way")
        with committing_pipeline(session) as sent:
            sent.send(STORE, "fourth way")
            sent.send("SELECT 1 / $1::bigint", "0")
    assert not names(engine) & {"third way", "fourth way"}


def test_a_warning_with_a_commit_that_was_on_its_way_leaves_it_uncertain(engine):
    """What PostgreSQL warns of here is a second COMMIT; what it warned of before is nobody's concern."""
    with pytest.raises(UncertainCommit, match="no transaction in progress"), transaction(engine) as session:
        with pipeline(session) as sent:
            sent.send("DO $$ BEGIN RAISE WARNING 'before the commit'; END $$")
        with committing_pipeline(session) as sent:
            sent.send("COMMIT")


def test_a_connection_that_is_cut_is_a_passing_error_and_is_replaced(engine):
    with pytest.raises(DBAPIError) as raised, transaction(engine) as session:
        victim = session.scalar(text("SELECT pg_backend_pid()"))
        with transaction(engine) as other:
            other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": victim})
        with pipeline(session) as sent:
            sent.send("SELECT 1")
    assert is_passing(raised.value)
    for _ in range(3):
        with transaction(engine) as session, pipeline(session) as sent:
            answer = sent.send("SELECT pg_backend_pid() AS pid")
        assert [row.pid for row in answer] != [victim]


def test_what_is_larger_than_any_buffer_arrives(engine):
    """Both sides would wait for ever: the server for the rest of a statement, the client for the answer to it."""
    many = numbers(list(range(3_000_000)))
    with transaction(engine) as session:
        with pipeline(session) as sent:
            answers = [sent.send("SELECT cardinality($1::bigint[]) AS n", many) for _ in range(4)]
        assert [row.n for answer in answers for row in answer] == [3_000_000] * 4


def test_something_else_is_done_while_postgresql_works(engine):
    """What is under way waits for a lock that is released meanwhile: before or afterwards it would wait for ever."""
    with transaction(engine) as other:
        other.execute(text("SELECT pg_advisory_lock(39)"))

        def meanwhile():
            other.execute(text("SELECT pg_advisory_unlock(39)"))

        with transaction(engine) as session, pipeline(session, meanwhile) as sent:
            answer = sent.send("SELECT 1 AS one FROM pg_advisory_xact_lock(39)")
    assert [row.one for row in answer] == [1]


def test_what_it_raises_is_raised_when_everything_is_done(engine):
    with transaction(engine) as session:
        with pytest.raises(RuntimeError, match="meanwhile"), pipeline(session, _raise) as sent:
            answer = sent.send("SELECT 1 AS one")
        assert [row.one for row in answer] == [1]
        assert session.scalar(text("SELECT 2")) == 2


def _raise():
    raise RuntimeError("meanwhile")


def test_an_error_of_postgresql_comes_first(engine):
    with pytest.raises(DataError), transaction(engine) as session, pipeline(session, _raise) as sent:
        sent.send("SELECT 1 / $1::bigint", "0")


def test_a_block_that_breaks_leaves_the_connection_usable(engine):
    with transaction(engine) as session:
        with pytest.raises(RuntimeError), pipeline(session) as sent:
            sent.send("SELECT 1")
            _raise()
        with pipeline(session) as sent:
            answer = sent.send("SELECT 2 AS two")
        assert [row.two for row in answer] == [2]


def test_a_text_with_a_zero_byte_is_refused_before_it_would_be_cut(engine):
    with pytest.raises(DBAPIError, match="NUL"), transaction(engine) as session, pipeline(session) as sent:
        sent.send("SELECT $1::text", "before\0after")
