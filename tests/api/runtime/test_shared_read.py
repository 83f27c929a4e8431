"""Reads that those who wait at the same time share."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from types import SimpleNamespace

import pytest

from api.runtime import shared_read
from api.runtime.shared_read import REST_FACTOR, SharedRead

OTHERS = 20


class Source:
    """Something to read that takes until it is told to end; each time it gives another number."""

    def __init__(self) -> None:
        self.reads = 0
        self.goes_on = threading.Semaphore(0)
        self.began = threading.Semaphore(0)
        self.fails: set[int] = set()

    def read(self) -> bytes:
        self.reads += 1
        number = self.reads
        self.began.release()
        assert self.goes_on.acquire(timeout=20)
        if number in self.fails:
            raise OSError(number)
        return b"%d" % number


@pytest.fixture
def source() -> Source:
    return Source()


def asked(pool: ThreadPoolExecutor, shared: SharedRead, source: Source, times: int) -> list[Future[bytes]]:
    """So many questions that are all waiting."""
    questions = [pool.submit(shared.answer, source.read) for _ in range(times)]
    time.sleep(0.2)
    assert not any(question.done() for question in questions)
    return questions


def test_those_who_come_during_a_read_share_the_next_one(source: Source) -> None:
    shared = SharedRead()
    with ThreadPoolExecutor(OTHERS + 1) as pool:
        first = pool.submit(shared.answer, source.read)
        assert source.began.acquire(timeout=20)
        others = asked(pool, shared, source, OTHERS)
        source.goes_on.release(2)
        assert first.result(20) == b"1"
        assert {other.result(20) for other in others} == {b"2"}
    assert source.reads == 2
    source.goes_on.release()
    assert shared.answer(source.read) == b"3"


def test_what_one_could_not_read_another_reads_for_himself(source: Source) -> None:
    shared = SharedRead()
    source.fails = {2}
    with ThreadPoolExecutor(OTHERS + 1) as pool:
        first = pool.submit(shared.answer, source.read)
        assert source.began.acquire(timeout=20)
        others = asked(pool, shared, source, OTHERS)
        source.goes_on.release(OTHERS + 2)
        assert first.result(20) == b"1"
        assert len([other for other in others if other.exception(20)]) == 1
        assert b"3" in {other.result() for other in others if not other.exception()}


def test_what_always_fails_fails_for_all(source: Source) -> None:
    shared = SharedRead()
    source.fails = set(range(OTHERS * 2))
    with ThreadPoolExecutor(OTHERS) as pool, ExitStack() as stack:
        stack.callback(source.goes_on.release, OTHERS * 2)
        questions = asked(pool, shared, source, OTHERS)
        source.goes_on.release(OTHERS * 2)
        assert all(isinstance(question.exception(20), OSError) for question in questions)
    source.fails = set()
    assert shared.answer(source.read)


def test_between_two_reads_the_process_has_time_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    slept: list[float] = []

    def read() -> bytes:
        clock[0] += 2.0
        return b""

    monkeypatch.setattr(shared_read, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=slept.append))
    shared = SharedRead()
    for _ in range(2):
        shared.answer(read)
    clock[0] += 60
    shared.answer(read)
    assert slept == [0.0, 2.0 * REST_FACTOR, 0.0]
