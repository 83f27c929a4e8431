"""Commands past the client: the same answers, errors and ways to break and come back."""

import threading

import gevent
import pytest
import redis as client
from redis import RedisError

from embedded.valkey import ValkeyServer
from queues.connection import connect
from queues.direct import Direct, DirectScript, direct, packed
from settings import servers

ID = packed("CLIENT", "ID")


@pytest.fixture
def redis(valkey_server: ValkeyServer):
    made = connect(servers.Redis(url=valkey_server.url, timeout_ms=500))
    made.flushdb()
    yield made
    made.close()


def test_answers_come_in_the_order_of_the_commands(redis):
    asked = Direct(redis)
    assert asked.ask() == []
    assert asked.ask(packed("SET", "a", 1), packed("GET", "a"), packed("GET", "nothing")) == [b"OK", b"1", None]
    assert asked.ask(packed("MGET", "a", "b", b"\r\n\0")) == [[b"1", None, None]]


@pytest.mark.parametrize("value", [b"", b"\r\n$3\r\n", "ação €", "x" * 3_000_000, 0, -1, 1.5])
def test_arguments_arrive_as_they_are(redis, value):
    wanted = value if isinstance(value, bytes) else str(value).encode()
    assert Direct(redis).ask(packed("SET", "key", value), packed("GET", "key")) == [b"OK", wanted]


def test_an_error_is_raised_when_all_answers_are_here_and_the_connection_goes_on(redis):
    asked = Direct(redis)
    own = asked.ask(ID)
    with pytest.raises(client.ResponseError, match="WRONGTYPE"):
        asked.ask(packed("SET", "a", 1), packed("LPUSH", "a", 1), packed("SET", "a", 2))
    assert asked.ask(packed("GET", "a")) == [b"2"]
    assert asked.ask(ID) == own


def test_a_script_is_told_once_and_again_to_a_redis_that_has_forgotten_it(redis):
    script = DirectScript(Direct(redis), "return {KEYS[1], ARGV[1]}")
    redis.script_flush()
    for _ in range(2):
        assert script(["key"], [1]) == [b"key", b"1"]
    redis.script_flush()
    assert script(["key"], ["value"]) == [b"key", b"value"]


def test_a_connection_that_redis_has_closed_is_made_anew(redis):
    asked = Direct(redis)
    for _ in range(3):
        asked.ask(packed("SET", "a", 1))
        redis.client_kill_filter(skipme=True, _type="normal")
        assert asked.ask(packed("GET", "a")) == [b"1"]


def test_who_is_ended_while_he_waits_leaves_his_answer_to_nobody(redis):
    asked = Direct(redis)
    redis.set("mine", "no")
    waiting = gevent.spawn(lambda: asked.ask(packed("BLPOP", "nothing", 0.2)))
    gevent.sleep(0)
    waiting.kill()
    assert asked.ask(packed("GET", "mine")) == [b"no"]


def test_those_who_ask_at_the_same_time_have_connections_of_their_own(redis):
    asked, found = Direct(redis), []

    def ask(number):
        for _ in range(50):
            found.append(asked.ask(packed("ECHO", number)) == [str(number).encode()])

    threads = [threading.Thread(target=ask, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 400


def test_all_who_use_a_client_share_its_connections(redis):
    assert direct(redis) is direct(redis)
    assert len({direct(redis).ask(ID)[0] for _ in range(3)}) == 1


def test_nobody_asks_while_redis_is_known_to_be_away(redis):
    asked, breaker = Direct(redis), redis.get_retry()
    breaker.is_open = True
    try:
        with pytest.raises(RedisError, match="has not answered"):
            asked.ask(packed("PING"))
    finally:
        breaker.is_open = False
    assert asked.ask(packed("PING")) == [b"PONG"]
