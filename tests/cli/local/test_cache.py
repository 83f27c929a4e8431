"""Given a Redis and one of its users, then doctor knows what that user may do, and nothing is done to find out."""

from __future__ import annotations

import pytest
import redis

from cli.exits import NOT_RUNNING
from cli.local.cache import is_new_enough, look_at_redis, must_let_in
from cli.terminal import CommandError
from embedded.valkey import ValkeyServer
from queues.names import EVENTS_CHANNEL
from queues.permissions import OPERATOR, PROCESSES


@pytest.mark.parametrize(
    ("user", "may"),
    [
        (OPERATOR, "may do everything"),
        ("web", "may not publish events"),
        ("live", "may not publish events"),
        ("match", "may publish events"),
        ("clock", "may not publish events"),
    ],
)
def test_what_a_user_may_do_is_told_and_nothing_is_published(valkey_server: ValkeyServer, user: str, may: str) -> None:
    with (
        redis.Redis.from_url(valkey_server.url) as operator,
        operator.pubsub(ignore_subscribe_messages=True) as channel,
    ):
        channel.subscribe(EVENTS_CHANNEL)
        found = look_at_redis(valkey_server.url_of(user))
        operator.publish(EVENTS_CHANNEL, "the last")
        heard = None
        while heard is None:
            heard = channel.get_message(timeout=5)
    assert str(found) == f"{found.version}; the user {user} {may}"
    assert is_new_enough(found.version)
    assert heard["data"] == b"the last"


def test_who_may_administer_but_not_publish(valkey_server: ValkeyServer) -> None:
    with redis.Redis.from_url(valkey_server.url) as operator:
        operator.acl_setuser(
            "other", enabled=True, nopass=True, categories=["+@all"], commands=["-publish"], keys=["*"]
        )
        try:
            url = valkey_server.url.replace(f"{OPERATOR}:", "other:")
            assert str(look_at_redis(url)).endswith("the user other may administer it, but not publish events")
        finally:
            operator.acl_deluser("other")


def test_every_user_is_let_in_and_a_wrong_password_is_not(valkey_server: ValkeyServer) -> None:
    said: list[str] = []
    for user in (OPERATOR, *PROCESSES):
        must_let_in(valkey_server.url_of(user), said.append)
    assert said == []
    with pytest.raises(CommandError, match="lets nobody in"):
        must_let_in(valkey_server.url.replace(valkey_server.password_of(OPERATOR), "guess"), said.append)


def test_one_that_is_away_is_told_and_gone_without() -> None:
    said: list[str] = []
    must_let_in("unix://operator:secret@/nowhere/at/all", said.append)
    assert [line.endswith("going on without it") for line in said] == [True]
    assert "secret" not in said[0]
    with pytest.raises(CommandError) as error:
        look_at_redis("unix://operator:secret@/nowhere/at/all")
    assert error.value.code == NOT_RUNNING
