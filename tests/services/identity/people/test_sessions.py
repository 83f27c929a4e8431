"""Given a family of refresh tokens, then each is good once, also when many use it at once."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text

from database.session import transaction
from services.identity.errors import NotYourSession, RefreshReused, SessionEnded, UnknownSession
from services.identity.people.roles import OPERATOR
from services.identity.people.session_holders import sessions_of
from services.identity.people.sessions import (
    MOST_SESSIONS,
    Client,
    Refreshed,
    end_session,
    end_sessions,
    end_with,
    open_session,
    refresh_session,
)
from services.identity.people.users import change_user, create_user

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=30)
CLIENT = Client("192.0.2.1", "Browser" * 100)
numbers = iter(range(10**6))


@pytest.fixture
def user_id(engine: Engine) -> Iterator[int]:
    with transaction(engine) as session:
        user = create_user(session, f"person{next(numbers)}", "hash", OPERATOR, None)
    yield user["user_id"]


def opened(engine: Engine, user_id: int, token: UUID, expires_at: datetime = LATER) -> int:
    with transaction(engine) as session:
        return open_session(session, user_id, token, CLIENT, NOW, expires_at)


def refreshed(engine: Engine, session_id: int, used: UUID, following: UUID, now: datetime = NOW) -> Refreshed:
    with transaction(engine) as session:
        return refresh_session(session, session_id, used, following, CLIENT, now)


def goes_on(engine: Engine, session_id: int) -> bool:
    with transaction(engine) as session:
        return not sessions_of(session, [session_id])[session_id].has_ended(NOW)


def test_each_token_makes_the_next_one(engine: Engine, user_id: int) -> None:
    tokens = [uuid4() for _ in range(4)]
    session_id = opened(engine, user_id, tokens[0])
    for used, following in itertools.pairwise(tokens):
        found = refreshed(engine, session_id, used, following)
        assert (found.user_id, found.expires_at, found.refusal) == (user_id, LATER, None)
    assert goes_on(engine, session_id)


def test_an_old_token_ends_the_family(engine: Engine, user_id: int) -> None:
    first, second, third = uuid4(), uuid4(), uuid4()
    session_id, other = opened(engine, user_id, first), opened(engine, user_id, uuid4())
    refreshed(engine, session_id, first, second)
    assert isinstance(refreshed(engine, session_id, first, third).refusal, RefreshReused)
    assert isinstance(refreshed(engine, session_id, second, third).refusal, SessionEnded)
    assert not goes_on(engine, session_id)
    assert goes_on(engine, other), "another log-in is another family"


def test_of_twenty_at_once_one_has_a_successor_at_most(engine: Engine, user_id: int) -> None:
    token, found, barrier = uuid4(), [], threading.Barrier(20)
    session_id = opened(engine, user_id, token)

    def run() -> None:
        barrier.wait()
        found.append(refreshed(engine, session_id, token, uuid4()))

    threads = [threading.Thread(target=run) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20
    assert sum(one.refusal is None for one in found) == 1
    assert all(isinstance(one.refusal, RefreshReused) for one in found if one.refusal)
    assert not goes_on(engine, session_id)


def test_what_is_over_is_not_refreshed(engine: Engine, user_id: int) -> None:
    token = uuid4()
    for expires_at in (NOW, NOW - timedelta(seconds=1)):
        session_id = opened(engine, user_id, token, expires_at)
        assert isinstance(refreshed(engine, session_id, token, uuid4()).refusal, SessionEnded)
    session_id = opened(engine, user_id, token)
    with transaction(engine) as session:
        assert end_with(session, session_id, token, NOW) is None
    assert isinstance(refreshed(engine, session_id, token, uuid4()).refusal, SessionEnded)
    assert isinstance(refreshed(engine, 10**9, token, uuid4()).refusal, SessionEnded)


def test_whoever_is_not_active_any_more_is_logged_out(engine: Engine, user_id: int) -> None:
    token = uuid4()
    session_id = opened(engine, user_id, token)
    with transaction(engine) as session:
        change_user(session, user_id, {"active": False}, NOW)
    assert not goes_on(engine, session_id)
    with transaction(engine) as session:
        session.execute(text("UPDATE user_sessions SET ended_at = NULL WHERE id = :id"), {"id": session_id})
    assert not goes_on(engine, session_id), "whatever the session says"
    assert isinstance(refreshed(engine, session_id, token, uuid4()).refusal, SessionEnded)


def test_one_ends_ones_own_sessions_only(engine: Engine, user_id: int) -> None:
    mine, spared = opened(engine, user_id, uuid4()), opened(engine, user_id, uuid4())
    with transaction(engine) as session:
        stranger = create_user(session, f"person{next(numbers)}", "hash", OPERATOR, None)["user_id"]
        with pytest.raises(NotYourSession):
            end_session(session, stranger, mine, NOW)
        with pytest.raises(UnknownSession):
            end_session(session, user_id, 10**9, NOW)
        end_sessions(session, user_id, NOW, spared=spared)
    assert [goes_on(engine, mine), goes_on(engine, spared)] == [False, True]


def test_a_person_has_so_many_sessions_and_the_oldest_goes(engine: Engine, user_id: int) -> None:
    ids = [opened(engine, user_id, uuid4()) for _ in range(MOST_SESSIONS + 2)]
    assert [goes_on(engine, found) for found in ids] == [False] * 2 + [True] * MOST_SESSIONS


def test_what_is_long_over_is_forgotten(engine: Engine, user_id: int) -> None:
    long_ago = opened(engine, user_id, uuid4(), NOW - timedelta(days=31))
    lately = opened(engine, user_id, uuid4(), NOW - timedelta(days=29))
    opened(engine, user_id, uuid4())
    with transaction(engine) as session:
        assert set(sessions_of(session, [long_ago, lately])) == {lately}
