"""Given failures to log in, then whoever goes on is told to wait, and nobody else."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from queues.connection import connect
from queues.limits import log_in_guard
from queues.limits.counters import Counters
from queues.limits.log_in_guard import (
    FREE,
    LONGEST_SECONDS,
    MOST_KEPT,
    OF_ADDRESS_A_MINUTE,
    Alone,
    LogInGuard,
    delay_after,
)
from settings.sections import Redis

HERE, ELSEWHERE = "192.0.2.1", "2001:db8::/64"


@pytest.fixture
def make_guard(redis_url: str) -> Callable[[], LogInGuard]:
    """Makes guards of several processes, which share a Redis."""

    def make(url: str = redis_url) -> LogInGuard:
        settings = Redis(url=url, timeout_ms=5_000)
        return LogInGuard(connect(settings), Counters(settings))

    return make


@pytest.fixture
def guard(make_guard: Callable[[], LogInGuard]) -> LogInGuard:
    return make_guard()


def fail(guard: LogInGuard, username: str, address: str = HERE) -> int:
    """One failure; the seconds to wait instead, if it was not looked at."""
    seconds = guard.begin(username, address)
    if not seconds:
        guard.failed(address)
    return seconds


def test_three_failures_are_free_and_each_further_one_doubles_the_delay() -> None:
    assert [delay_after(failures) for failures in range(10)] == [0, 0, 0, 1, 2, 4, 8, 16, 30, 30]
    assert delay_after(10**9) == LONGEST_SECONDS


def test_redis_counts_the_same(guard: LogInGuard) -> None:
    for _ in range(FREE):
        assert fail(guard, "ana") == 0
    assert fail(guard, "ana") == 1
    assert guard.seconds_to_wait("ana", HERE) == 1
    key = log_in_guard._key(log_in_guard._pair("ana", HERE))
    for failures, seconds in ((4, 2), (5, 4), (8, 30), (10**6, 30)):
        guard._alone.forget(log_in_guard._pair("ana", HERE))
        guard._redis.hset(key, "failures", failures)
        assert fail(guard, "ana") == seconds
    assert 0 < guard._redis.ttl(key) <= log_in_guard.FORGOTTEN_SECONDS


def test_nobody_else_waits_neither_another_name_nor_the_owner_elsewhere(guard: LogInGuard) -> None:
    while not fail(guard, "bia"):
        continue
    assert guard.seconds_to_wait("bia", HERE)
    assert guard.seconds_to_wait("bia", ELSEWHERE) == guard.seconds_to_wait("caio", HERE) == 0
    assert fail(guard, "bia", ELSEWHERE) == fail(guard, "caio") == 0


def test_what_one_process_has_counted_holds_in_all(make_guard: Callable[[], LogInGuard]) -> None:
    for _ in range(FREE):
        assert fail(make_guard(), "davi") == 0
    assert fail(make_guard(), "davi") == 1


def test_many_at_once_are_no_way_around(make_guard: Callable[[], LogInGuard]) -> None:
    guards, waits = [make_guard() for _ in range(4)], []

    def run(guard: LogInGuard) -> None:
        waits.extend(guard.begin("eva", HERE) for _ in range(25))

    threads = [threading.Thread(target=run, args=[guard]) for guard in guards]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert waits.count(0) == FREE, "so many passwords have been looked at"


def test_success_begins_anew_and_what_was_not_looked_at_does_not_count(guard: LogInGuard) -> None:
    for _ in range(FREE - 1):
        fail(guard, "fabio")
    guard.succeeded("fabio", HERE)
    for _ in range(10):
        assert guard.begin("fabio", HERE) == 0
        guard.undo("fabio", HERE)
    assert [fail(guard, "fabio") for _ in range(FREE)] == [0] * FREE
    assert fail(guard, "fabio") == 1


def test_an_address_that_fails_for_many_names_waits(guard: LogInGuard) -> None:
    for number in range(OF_ADDRESS_A_MINUTE):
        assert fail(guard, f"name{number}", "192.0.2.77") == 0
    assert 1 <= guard.begin("gina", "192.0.2.77") <= 60
    assert guard.begin("gina", "192.0.2.78") == 0


def test_without_redis_each_process_counts_by_itself(make_guard: Callable[..., LogInGuard]) -> None:
    guard = make_guard("redis://127.0.0.1:1/0")
    assert [fail(guard, "hugo") for _ in range(FREE + 1)] == [0, 0, 0, 1]
    assert guard.seconds_to_wait("hugo", HERE) == 1
    for number in range(OF_ADDRESS_A_MINUTE):
        fail(guard, f"name{number}", "192.0.2.79")
    assert guard.begin("igor", "192.0.2.79")


def test_redis_that_forgot_is_no_way_around(guard: LogInGuard) -> None:
    for _ in range(FREE):
        fail(guard, "joana")
    guard._redis.flushdb()
    assert fail(guard, "joana") == 1


def test_strangers_fill_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = Alone()
    for number in range(MOST_KEPT + 100):
        alone.begin(str(number))
    assert len(alone._pairs) == MOST_KEPT


def test_after_a_while_a_failure_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr("queues.limits.log_in_guard.time.monotonic", lambda: now)
    alone = Alone()
    for _ in range(FREE):
        assert alone.begin("pair") == 0
    assert alone.begin("pair") == 1
    now += log_in_guard.FORGOTTEN_SECONDS
    assert [alone.begin("pair") for _ in range(FREE)] == [0] * FREE
    assert alone.begin("pair") == 1
