"""One connection for the statements of many greenlets: each gets his own answer, and nobody one that is not his."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime

import gevent
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from database.autocommit import autocommitting, committing
from database.errors import ConnectionLost, UncertainCommit, is_passing
from database.shared import SharedLink, alone
from database.timed import Unanswered

XID = "SELECT pg_current_xact_id()::text AS xid".replace(":", r"\:")
"""Which transaction it is."""

SLOW = "SELECT CAST(:n AS bigint) AS n, pg_sleep(CAST(:seconds AS double precision))"


@pytest.fixture(params=[False, True], ids=["each by itself", "together"])
def link(request: pytest.FixtureRequest, database_url: str) -> Iterator[SharedLink]:
    """Both kinds: whose requests are transactions of their own, and one that only reads."""
    engine = committing(database_url, statement_timeout=2_000)
    link = SharedLink(lambda: alone(engine), 5, only_reads=request.param)
    yield link
    link.close()
    engine.dispose()


@pytest.fixture
def reading(database_url: str) -> Iterator[SharedLink]:
    engine = committing(database_url, statement_timeout=1_000)
    link = SharedLink(lambda: alone(engine), 5, only_reads=True)
    yield link
    link.close()
    engine.dispose()


def ask(link: SharedLink, statement: str, **values: object) -> list[object]:
    with link.session() as session:
        return list(session.execute(text(statement), values))


def ended(link: SharedLink, statement: str, **values: object) -> BaseException:
    with pytest.raises(DBAPIError) as raised:
        ask(link, statement, **values)
    return raised.value


def test_everybody_gets_his_own_answer(link: SharedLink) -> None:
    asked = [
        gevent.spawn(ask, link, "SELECT CAST(:n AS bigint) AS n, CAST(:n AS text) AS word", n=n) for n in range(500)
    ]
    gevent.joinall(asked, raise_error=True)
    assert [one.value for one in asked] == [[(n, str(n))] for n in range(500)]


def test_all_of_it_is_one_connection(link: SharedLink) -> None:
    asked = [gevent.spawn(ask, link, "SELECT pg_backend_pid()") for _ in range(20)]
    gevent.joinall(asked, raise_error=True)
    assert len({str(one.value) for one in asked}) == 1


def test_an_error_is_his_who_asked_for_it(link: SharedLink) -> None:
    asked = [gevent.spawn(ask, link, "SELECT 12 / CAST(:n AS bigint) AS n", n=n % 3) for n in range(9)]
    gevent.joinall(asked)
    assert [one.value for one in asked] == [None, [(12,)], [(6,)]] * 3
    assert {one.exception.orig.sqlstate for one in asked[::3]} == {"22012"}
    assert not any(one.exception.connection_invalidated for one in asked[::3])


def test_a_statement_that_cannot_be_prepared_harms_no_other(link: SharedLink) -> None:
    statements = ["SELECT 1 AS n", "SELECT nothing FROM nowhere", "SELECT 2 AS n", "SELECT nothing FROM nowhere"]
    asked = [gevent.spawn(ask, link, statement) for statement in statements]
    gevent.joinall(asked)
    assert [one.value for one in asked[::2]] == [[(1,)], [(2,)]]
    assert asked[1].exception.orig.sqlstate == "42P01"
    assert is_passing(asked[3].exception) or asked[3].exception.orig.sqlstate == "42P01"
    assert ended(link, "SELECT nothing FROM nowhere").orig.sqlstate == "42P01"
    assert ask(link, "SELECT 3 AS n") == [(3,)]


VALUES = {
    "bigint": [None, 0, -(2**63), 2**63 - 1],
    "double precision": [None, 0.1, -1e300],
    "boolean": [None, True, False],
    "text": [None, "", "a", "ß € 𝄞", "'; --", '{"a": [1, null]}', "\\x", "NULL", "x" * 5_000_000],
    "bytea": [b"", b"\0\xff\\"],
    "timestamptz": [datetime(2026, 11, 27, 9, 30, 0, 123_456, tzinfo=UTC)],
    "bigint[]": [[], [1, -2, None], [2**63 - 1]],
    "text[]": [[], ["", "NULL", 'a"b', "a\\b", "{}", ",", None]],
    "bytea[]": [[b"\0\xff", b""]],
}


@pytest.mark.parametrize("kind", VALUES)
def test_values_go_and_come_as_over_a_pooled_connection(link: SharedLink, database_url: str, kind: str) -> None:
    engine = committing(database_url)
    statement = text(f"SELECT CAST(:value AS {kind}) AS value, pg_typeof(CAST(:value AS {kind}))::text AS kind")
    statement = text(str(statement.text).replace("::", r"\:\:"))
    for value in VALUES[kind]:
        with link.session() as session, autocommitting(engine) as other:
            found, wanted = session.execute(statement, {"value": value}), other.execute(statement, {"value": value})
        assert found == wanted
        assert found.one().value == value
        assert found.one()._fields == wanted.one()._fields
    engine.dispose()


def test_results_are_read_as_over_a_pooled_connection(link: SharedLink, database_url: str) -> None:
    statement = text(
        r"""
        SELECT 1.50::numeric AS a, '{"b": [1, null]}'::json AS b, '[]'::jsonb AS c, now()::timestamptz(0) - now() AS d,
            NULL AS e, 'x'::"char" AS f, ARRAY[1, 2]::bigint[] AS g, true AS h
    """.replace("::", r"\:\:")
    )
    engine = committing(database_url)
    with link.session() as session, autocommitting(engine) as other:
        found, wanted = session.execute(statement).one(), other.execute(statement).one()
    engine.dispose()
    assert found._replace(d=None) == wanted._replace(d=None)
    assert [type(value) for value in found] == [type(value) for value in wanted]


def test_a_text_is_never_cut_at_a_zero_byte(link: SharedLink) -> None:
    error = ended(link, "SELECT CAST(:value AS text)", value="before\0after")
    assert isinstance(error.orig, psycopg.DataError)
    assert ask(link, "SELECT 1 AS n") == [(1,)]


def test_what_is_of_no_known_kind_is_not_sent(link: SharedLink) -> None:
    with pytest.raises(TypeError):
        ask(link, "SELECT CAST(:value AS text)", value=object())


def test_statements_together_are_all_done_or_none(link: SharedLink) -> None:
    make, add, count = (
        text(each)
        for each in (
            "CREATE TEMP TABLE kept (n bigint)",
            "INSERT INTO kept VALUES (12 / CAST(:n AS bigint))",
            "SELECT count(*) FROM kept",
        )
    )
    with link.session() as session:
        session.execute(make)
        with pytest.raises(DBAPIError):
            session.execute_together([(add, {"n": 1}), (add, {"n": 0})])
        assert session.scalar(count) == 0
        *_, last = session.execute_together([(add, {"n": 1}), (add, {"n": 2}), (count, {})])
        assert last.one() == (2,)


def test_more_than_the_socket_takes_at_once_goes_out_and_comes_back(link: SharedLink) -> None:
    large = "x" * 20_000_000
    asked = [gevent.spawn(ask, link, "SELECT CAST(:large AS text)", large=large) for _ in range(3)]
    gevent.joinall(asked, raise_error=True)
    assert all(one.value == [(large,)] for one in asked)


def test_who_is_ended_while_he_waits_leaves_his_answer_to_nobody(link: SharedLink) -> None:
    waiting = gevent.spawn(ask, link, SLOW, n=1, seconds=0.3)
    gevent.sleep(0.05)
    later = [gevent.spawn(ask, link, SLOW, n=n, seconds=0) for n in (2, 3)]
    gevent.sleep(0.05)
    waiting.kill()
    gevent.joinall(later, raise_error=True)
    assert [one.value[0].n for one in later] == [2, 3]


def test_all_who_wait_hear_that_the_connection_is_lost_and_the_next_gets_another(link: SharedLink) -> None:
    asked = [gevent.spawn(ask, link, SLOW, n=n, seconds=1) for n in range(3)]
    gevent.sleep(0.2)
    other = gevent.spawn(ask, link, "SELECT pg_terminate_backend(pg_backend_pid())")
    gevent.joinall([*asked, other], timeout=10)
    assert [one.successful() for one in asked] == [True] * 3
    assert isinstance(other.exception.orig, ConnectionLost)
    assert other.exception.connection_invalidated
    assert "administrator" in str(other.exception)
    assert ask(link, "SELECT 1 AS n") == [(1,)]


def test_what_was_under_way_behind_it_is_lost_as_well(link: SharedLink) -> None:
    first = gevent.spawn(ask, link, "SELECT pg_sleep(0.2), pg_terminate_backend(pg_backend_pid())")
    gevent.sleep(0.05)
    behind = [gevent.spawn(ask, link, "SELECT 1 AS n") for _ in range(3)]
    gevent.joinall([first, *behind], timeout=10)
    assert {type(one.exception.orig) for one in (first, *behind)} == {ConnectionLost}


def test_one_that_was_ended_while_nobody_used_it_is_noticed_before_anything_is_sent(
    link: SharedLink, database_url: str
) -> None:
    ((pid,),) = ask(link, "SELECT pg_backend_pid() AS pid")  # type: ignore[misc]
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    assert ask(link, "SELECT 1 AS n") == [(1,)]


def test_a_server_process_that_never_answers_is_given_up(database_url: str) -> None:
    engine = committing(database_url)
    link = SharedLink(lambda: alone(engine), 0.3)
    ((pid,),) = ask(link, "SELECT pg_backend_pid() AS pid")  # type: ignore[misc]
    os.kill(pid, signal.SIGSTOP)
    try:
        asked = [gevent.spawn(ask, link, "SELECT 1 AS n") for _ in range(2)]
        gevent.joinall(asked, timeout=10)
        assert {type(one.exception.orig) for one in asked} == {Unanswered}
        assert all(one.exception.connection_invalidated for one in asked)
        assert ask(link, "SELECT 2 AS n") == [(2,)]
    finally:
        os.kill(pid, signal.SIGCONT)
        link.close()
        engine.dispose()


def test_what_postgresql_ends_in_time_concerns_nobody_else(link: SharedLink) -> None:
    slow = gevent.spawn(ask, link, SLOW, n=1, seconds=10)
    gevent.sleep(0.1)
    behind = gevent.spawn(ask, link, "SELECT 2 AS n")
    gevent.joinall([slow, behind], timeout=10)
    assert (slow.exception.orig.sqlstate, slow.exception.connection_invalidated) == ("57014", False)
    assert behind.value == [(2,)]


def test_nobody_gets_a_connection_that_cannot_be_opened() -> None:
    def refuse() -> psycopg.Connection[object]:
        raise psycopg.OperationalError("nobody is there")

    error = ended(SharedLink(refuse, 1), "SELECT 1")
    assert is_passing(error)
    assert not error.connection_invalidated


def test_those_who_come_at_once_open_one_connection(database_url: str) -> None:
    opened = []

    def slowly() -> psycopg.Connection[object]:
        opened.append(1)
        gevent.sleep(0.1)
        return psycopg.connect(database_url, autocommit=True)

    link = SharedLink(slowly, 5)
    asked = [gevent.spawn(ask, link, "SELECT 1 AS n") for _ in range(5)]
    gevent.joinall(asked, raise_error=True)
    assert (len(opened), [one.value for one in asked]) == (1, [[(1,)]] * 5)
    link.close()


def test_a_plan_of_before_a_migration_costs_one_error_and_another_connection(link: SharedLink) -> None:
    ask(link, "CREATE TABLE IF NOT EXISTS changing (n bigint)")
    ask(link, "SELECT * FROM changing")
    try:
        ask(link, "ALTER TABLE changing ADD COLUMN more bigint")
        error = ended(link, "SELECT * FROM changing")
        assert is_passing(error)
        assert not error.connection_invalidated
        assert ask(link, "SELECT * FROM changing") == []
    finally:
        ask(link, "DROP TABLE changing")


WARN = r"DO $$ BEGIN RAISE WARNING '%', 'it may not last'; END $$"


def test_a_warning_is_of_him_whose_statement_it_was(link: SharedLink) -> None:
    heard: dict[str, list[str]] = {"warned": [], "others": []}

    def store(name: str, statement: str) -> None:
        with link.session() as session:
            session.execute(text(statement))
            try:
                session.refuse_uncertain()
            except UncertainCommit as error:
                heard[name].append(str(error))

    kinds = [("others", "SELECT 1"), ("warned", WARN.replace(":", r"\:"))] * 20
    gevent.joinall([gevent.spawn(store, *kind) for kind in kinds], raise_error=True)
    assert heard == {"warned": ["it may not last"] * 20, "others": []}


def test_what_is_read_at_the_same_moment_is_one_transaction_and_what_is_stored_is_not(link: SharedLink) -> None:
    ask(link, XID)
    asked = [gevent.spawn(ask, link, XID) for _ in range(20)]
    gevent.joinall(asked, raise_error=True)
    transactions = {str(one.value) for one in asked}
    assert len(transactions) == (1 if link._only_reads else 20)


def test_one_who_fails_among_many_fails_alone(reading: SharedLink) -> None:
    kinds = ["SELECT 12 / CAST(:n AS bigint) AS n", "SELECT CAST(:n AS bigint) AS n", "SELECT nothing FROM nowhere"]
    for _ in range(3):
        asked = [gevent.spawn(ask, reading, kinds[n % 3], **({} if n % 3 == 2 else {"n": n % 4})) for n in range(60)]
        gevent.joinall(asked, timeout=20)
        for n, one in enumerate(asked):
            if n % 3 == 2:
                assert one.exception.orig.sqlstate == "42P01"
            elif n % 3 == 0 and n % 4 == 0:
                assert one.exception.orig.sqlstate == "22012"
            else:
                assert one.value == [(12 // (n % 4) if n % 3 == 0 else n % 4,)]


def test_one_who_takes_too_long_keeps_the_others_waiting_and_no_more(reading: SharedLink) -> None:
    asked = [gevent.spawn(ask, reading, SLOW, n=n, seconds=5 if n == 1 else 0) for n in range(4)]
    gevent.joinall(asked, timeout=20)
    assert [one.value[0].n for n, one in enumerate(asked) if n != 1] == [0, 2, 3]
    assert asked[1].exception.orig.sqlstate == "57014"


def test_statements_of_one_who_reads_belong_together_also_among_others(reading: SharedLink) -> None:
    def both(n: int) -> list[list[object]]:
        with reading.session() as session:
            statements = [
                (text("SELECT CAST(:n AS bigint) AS n"), {"n": n}),
                (text("SELECT 6 / CAST(:n AS int)"), {"n": n}),
            ]
            return [list(rows) for rows in session.execute_together(statements)]

    asked = [gevent.spawn(both, n) for n in (1, 2, 0, 3)]
    gevent.joinall(asked, timeout=10)
    assert [one.value for one in asked if one.successful()] == [[[(n,)], [(6 // n,)]] for n in (1, 2, 3)]
    assert asked[2].exception.orig.sqlstate == "22012"


def test_who_is_ended_before_it_has_left_harms_nobody(reading: SharedLink) -> None:
    ask(reading, "SELECT 1 AS n")
    asked = [gevent.spawn(ask, reading, "SELECT CAST(:n AS bigint) AS n", n=n) for n in range(3)]
    gevent.sleep(0)
    asked[1].kill(block=False)
    gevent.joinall(asked, timeout=10)
    assert [one.value for one in (asked[0], asked[2])] == [[(0,)], [(2,)]]


def test_a_connection_that_goes_for_good_still_answers_those_who_were_left_out(reading: SharedLink) -> None:
    """An error in the midst of them, and the connection is to be used no longer."""
    ask(reading, "CREATE TABLE IF NOT EXISTS renewed (n bigint)")
    ask(reading, "SELECT * FROM renewed")
    try:
        ask(reading, "ALTER TABLE renewed ADD COLUMN more bigint")
        statements = ["SELECT 1 AS n", "SELECT * FROM renewed", "SELECT 2 AS n", "SELECT 3 AS n"]
        asked = [gevent.spawn(ask, reading, statement) for statement in statements]
        gevent.joinall(asked, timeout=10)
        assert is_passing(asked[1].exception)
        assert [one.value for one in (asked[0], asked[2], asked[3])] == [[(1,)], [(2,)], [(3,)]]
        assert ask(reading, "SELECT * FROM renewed") == []
    finally:
        ask(reading, "DROP TABLE renewed")


def test_a_preparation_that_was_left_out_is_made_good_for_those_who_relied_on_it(reading: SharedLink) -> None:
    """They are under way behind it, when it turns out that an error before it has kept it from PostgreSQL."""
    ask(reading, "SELECT 1 AS n")
    statements = ["SELECT pg_sleep(0.2)", "SELECT 1 / 0", "SELECT 41 AS prepared_here"]
    first = [gevent.spawn(ask, reading, statement) for statement in statements]
    gevent.sleep(0.05)
    behind = [gevent.spawn(ask, reading, "SELECT 41 AS prepared_here") for _ in range(2)]
    gevent.joinall([*first, *behind], timeout=10)
    assert first[1].exception.orig.sqlstate == "22012"
    assert [one.value for one in (first[2], *behind)] == [[(41,)]] * 3
