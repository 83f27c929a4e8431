"""A Redis that hangs costs a process one timeout; a connection that was closed costs nothing."""

import os
import signal
import socket
import threading
import time
from dataclasses import replace

import pytest
from redis import RedisError

from embedded.valkey import ValkeyServer
from queues import breaker as module
from queues.book_cache import BookCache
from queues.breaker import breaker_of
from queues.bus import Bus
from queues.connection import connect
from queues.wakeups import Wakeups
from settings.sections import Redis

SECONDS = 0.2


class Deaf:
    """A server that takes connections and never says a word; how many it has taken."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.taken = []
        threading.Thread(target=self._take, daemon=True).start()
        self.settings = Redis(
            url=f"redis://127.0.0.1:{self.listener.getsockname()[1]}/0", timeout_ms=int(SECONDS * 1000)
        )

    def _take(self):
        while True:
            try:
                self.taken.append(self.listener.accept()[0])
            except OSError:
                return

    def close(self):
        for taken in (self.listener, *self.taken):
            taken.close()


@pytest.fixture
def deaf(monkeypatch):
    monkeypatch.setattr(module, "PROBE_SECONDS", 600)
    server = Deaf()
    yield server
    server.close()


def test_all_clients_of_a_process_wait_once_for_a_redis_that_hangs(deaf):
    first, second = connect(deaf.settings), connect(deaf.settings, patience_ms=5_000)
    with pytest.raises(RedisError):
        first.ping()
    asked = len(deaf.taken)
    assert asked == 1
    for _ in range(5):
        assert Wakeups(second).wake([("PETR4", "A")]) is False
        assert BookCache(first).get("PETR4") is None
        assert Bus(second).announce([]) is True  # nothing to tell
        assert Bus(second).announce([], {"PETR4": {}}) is False
        with pytest.raises(RedisError):
            second.bzpopmin("minex:ready:A", 1)
    assert len(deaf.taken) == asked


@pytest.fixture
def own(make_server_folder):
    with ValkeyServer(make_server_folder()) as server:
        yield server, replace(Redis(), url=server.url, timeout_ms=int(SECONDS * 1000))


def stop(server, redis):
    os.kill(server.pid, signal.SIGSTOP)


def go_on(server):
    os.kill(server.pid, signal.SIGCONT)


def pause(server, redis):
    redis.execute_command("CLIENT", "PAUSE", 2_000, "ALL")


def pause_writes(server, redis):
    redis.execute_command("CLIENT", "PAUSE", 2_000, "WRITE")


@pytest.mark.parametrize(
    ("hang", "wake"),
    [(stop, go_on), (pause, lambda _: None), (pause_writes, lambda _: None)],
    ids=["stopped", "paused", "writes paused"],
)
def test_it_is_used_again_once_it_answers(own, hang, wake):
    server, settings = own
    redis = connect(settings)
    hang(server, redis)
    assert Wakeups(redis).wake([("PETR4", "A")]) is False
    assert breaker_of(settings.url, SECONDS).is_open
    wake(server)
    until(lambda: not breaker_of(settings.url, SECONDS).is_open)
    assert Wakeups(redis).wake([("PETR4", "A")]) is True


def test_a_redis_that_comes_back_is_used_again(own):
    server, settings = own
    redis = connect(settings)
    redis.ping()
    server.kill()
    assert Wakeups(redis).wake([("PETR4", "A")]) is False
    server.start()
    until(lambda: Wakeups(redis).wake([("PETR4", "A")]))


def test_a_connection_that_was_closed_is_made_anew_at_once(own):
    _, settings = own
    redis, other = connect(settings), connect(settings)
    for _ in range(3):
        redis.ping()
        other.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        assert Wakeups(redis).wake([("PETR4", "A")]) is True
    assert not breaker_of(settings.url, SECONDS).is_open


def until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.01)
