"""Whose key it is, and who has to leave when it is revoked."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from flask_socketio import ConnectionRefusedError
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolExhausted

from database.autocommit import committing
from database.session import transaction
from embedded.postgres_roles import READER
from live import members as members_module
from live.identities import Identities
from live.members import Members
from queues.limits.counters import Counters
from queues.limits.unknown_keys import UnknownKeys
from services.identity.admin_key import ensure_admin_key
from services.identity.api_keys import holder_of
from services.identity.networks import network_of_text
from services.identity.own_keys import make_key
from services.identity.people.tokens import Tokens
from services.identity.reach import Reach
from services.identity.register import register_broker
from services.identity.scopes import ALL
from settings.sections import Limits, Redis
from tests.roles import as_role

ADDRESS = "192.0.2.7"
TOKENS = Tokens("token_secret_of_the_tests_only_0123456789", "", 900)


@pytest.fixture
def unknown_keys(redis_url):
    return UnknownKeys(Limits(failures_per_minute=3), Counters(Redis(url=redis_url)))


@pytest.fixture
def reader(database_url):
    engine = committing(as_role(database_url, READER), pool_size=4)
    yield engine
    engine.dispose()


@pytest.fixture
def members(reader, unknown_keys):
    return Members(Identities(reader, unknown_keys, "", TOKENS), reader)


@pytest.fixture
def broker(engine):
    with transaction(engine) as session:
        return register_broker(session, name="Broker")


def enter(members, name, credential, address):
    """For which broker whoever comes with this acts."""
    who = members.identify(credential, address)
    members.enter(name, who)
    return who.broker_id


def refusal(members, key, address=ADDRESS):
    """The code with which a key is refused, and what else is said."""
    with pytest.raises(ConnectionRefusedError) as refused:
        enter(members, "socket", key, address)
    return refused.value.error_args["data"]


def revoke(engine, broker):
    with transaction(engine) as session:
        session.execute(text("UPDATE api_keys SET revoked_at = now() WHERE broker_id = :id"), {"id": broker.broker_id})


def closing(closed):
    """Notes whose sockets are closed."""
    return lambda code, socket_id: closed.append((code, socket_id))


def test_a_key_is_known_by_its_hash(members, broker):
    assert enter(members, "socket", broker.api_key, ADDRESS) == broker.broker_id


def test_an_address_that_tries_keys_is_refused_whatever_it_sends_then(members, broker, unknown_keys):
    assert [refusal(members, f"mx_guess{number}", "192.0.2.8")["code"] for number in range(2)] == [
        "unauthenticated"
    ] * 2
    unknown_keys.note("192.0.2.8")  # as REST does
    last = refusal(members, broker.api_key, "192.0.2.8")
    assert last["code"] == "too_many_requests"
    assert 1 <= last["retry_after"] <= 60
    assert enter(members, "socket", broker.api_key, "192.0.2.9") == broker.broker_id


def test_the_administrators_key_is_no_guess(engine, reader, members, unknown_keys):
    with transaction(engine) as session:
        stored = ensure_admin_key(session)
    configured = Members(Identities(reader, unknown_keys, "mxadmin_configured", TOKENS), reader)
    for _ in range(4):
        assert refusal(members, stored)["code"] == "broker_only"
        assert refusal(configured, "mxadmin_configured")["code"] == "broker_only"


def test_sockets_of_a_revoked_key_leave_and_others_stay(engine, members, broker):
    with transaction(engine) as session:
        other = register_broker(session, name="Other")
    enter(members, "first", broker.api_key, ADDRESS)
    enter(members, "second", broker.api_key, ADDRESS)
    enter(members, "gone", broker.api_key, ADDRESS)
    enter(members, "other", other.api_key, ADDRESS)
    members.leave("gone")
    revoke(engine, broker)
    closed = []
    members.revoke(closing(closed))
    assert closed == [("key_revoked", "first"), ("key_revoked", "second")]


def limited(engine, broker, **wanted):
    """Another key of the broker's."""
    reach = Reach(**{"scopes": ALL, **wanted})
    with transaction(engine) as session:
        return make_key(session, holder_of(session, broker.api_key), "Bot", reach, datetime.now(UTC))["api_key"]


def test_a_key_is_for_sockets_only_if_it_may_read(engine, members, broker):
    assert enter(members, "socket", limited(engine, broker, scopes=frozenset({"read"})), ADDRESS) == broker.broker_id
    blind = limited(engine, broker, scopes=frozenset({"trade", "cancel"}))
    assert refusal(members, blind) == {"code": "scope_missing", "scope": "read"}


def test_a_key_opens_sockets_from_its_addresses_alone(engine, members, broker):
    key = limited(engine, broker, networks=(network_of_text("192.0.2.0/24"),))
    assert enter(members, "socket", key, "::ffff:192.0.2.9") == broker.broker_id
    for address in ("192.0.3.1", "2001:db8::1", "", "unknown"):
        assert refusal(members, key, address)["code"] == "address_not_allowed"


def test_a_key_that_ends_closes_its_sockets(engine, members, broker):
    key = limited(engine, broker, expires_at=datetime.now(UTC) + timedelta(seconds=0.3))
    enter(members, "ends", key, ADDRESS)
    enter(members, "stays", broker.api_key, ADDRESS)
    closed = []
    members.revoke(closing(closed))
    assert closed == []
    time.sleep(0.35)
    members.revoke(closing(closed))
    assert closed == [("key_expired", "ends")]
    assert refusal(members, key) == {"code": "key_expired"}


def test_a_revoked_key_opens_no_socket_and_counts_as_a_try(engine, members, broker):
    revoke(engine, broker)
    codes = [refusal(members, broker.api_key, "192.0.2.99")["code"] for _ in range(4)]
    assert codes == ["key_revoked"] * 3 + ["too_many_requests"]


def test_who_connects_during_the_look_up_stays(engine, members, broker, monkeypatch):
    with transaction(engine) as session:
        late = register_broker(session, name="Late")
    enter(members, "early", broker.api_key, ADDRESS)
    look_up = members_module.holders_of

    def slow_look_up(session, hashes):
        found = look_up(session, hashes)
        enter(members, "late", late.api_key, ADDRESS)
        return found

    monkeypatch.setattr(members_module, "holders_of", slow_look_up)
    closed = []
    members.revoke(closing(closed))
    assert closed == []


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 1_000.0

    monkeypatch.setattr(members_module.time, "monotonic", lambda: Clock.now)
    return Clock


def test_keys_that_cannot_be_looked_up_again_are_believed_for_five_seconds(clock, reader, members, broker, monkeypatch):
    enter(members, "first", broker.api_key, ADDRESS)
    closed = []
    with monkeypatch.context() as broken:
        broken.setattr(members_module, "holders_of", raising(PoolExhausted("no connection")))
        clock.now += 4.9
        with pytest.raises(PoolExhausted):
            members.revoke(closing(closed))
        members.fail_closed(closed.append)
        assert closed == []
        clock.now += 0.2
        members.fail_closed(closed.append)
        assert closed == ["first"]
    members.leave("first")
    enter(members, "second", broker.api_key, ADDRESS)  # its own key has just been looked up
    members.fail_closed(closed.append)
    assert closed == ["first"]
    members.revoke(closing(closed))
    clock.now += 4.9
    members.fail_closed(closed.append)
    assert closed == ["first"]


def test_one_socket_that_cannot_be_closed_keeps_no_other_open(clock, members, broker):
    for name in ("first", "second", "third"):
        enter(members, name, broker.api_key, ADDRESS)
    clock.now += 6
    closed = []

    def close(name):
        closed.append(name)
        if name == "first":
            raise RuntimeError(name)

    with pytest.raises(ExceptionGroup):
        members.fail_closed(close)
    assert closed == ["first", "second", "third"]


def raising(error):
    def fail(*_):
        raise error

    return fail
