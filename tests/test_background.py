"""Whatever a background task meets, it goes on; and when it cannot, somebody hears of it."""

import logging
import threading

import pytest

import background
from background import Task, Tasks


class Steps:
    """A step that does one thing after another: raises what is an exception; then it is done with."""

    def __init__(self, *todo):
        self.todo = list(todo)
        self.taken = 0
        self.done = threading.Event()

    def __call__(self):
        self.taken += 1
        if not self.todo:
            self.done.set()
            return
        error = self.todo.pop(0)
        if error is not None:
            raise error


@pytest.fixture
def clock(monkeypatch):
    """The time, to be set."""

    class Clock:
        now = 1_000.0

    monkeypatch.setattr(background.time, "monotonic", lambda: Clock.now)
    return Clock


def a_task(step, **more):
    return Task("task", step, failure="it failed", **more)


def test_it_goes_on_after_every_exception():
    steps = Steps(RuntimeError("one"), KeyError("two"), RecursionError(), ExceptionGroup("three", [ValueError()]), None)
    task = a_task(steps, retry=0, pause=0.01)
    task.start()
    assert steps.done.wait(10)
    task.stop()


def test_it_is_started_once(monkeypatch):
    steps = Steps()
    task = a_task(steps, pause=60)
    begun = []

    def keep(thread):
        begun.append(thread)

    monkeypatch.setattr(threading.Thread, "start", keep)
    task.start()
    task.start()
    assert len(begun) == 1


def test_each_kind_is_said_once_a_minute_with_how_often_it_was(clock, caplog):
    def fail():
        raise RuntimeError("again")

    def fail_otherwise():
        raise RuntimeError("again")

    task = a_task(fail)
    for _ in range(5):
        assert task.run_once() is False
    assert [record.message for record in caplog.records] == ["it failed"]
    task._step = fail_otherwise  # the same words from another line are another kind
    task.run_once()
    assert len(caplog.records) == 2
    clock.now += 61
    task._step = fail
    task.run_once()
    assert caplog.records[-1].message == "it failed (4 more times since the last word of it)"
    assert caplog.records[-1].exc_info


def test_what_is_expected_is_said_without_a_traceback(caplog):
    task = a_task(Steps(ConnectionError("away\n  for now")), expected=(ConnectionError,))
    task.run_once()
    (record,) = caplog.records
    assert (record.levelno, record.message, record.exc_info) == (logging.WARNING, "it failed: away for now", None)


def test_kinds_that_never_end_fill_nothing(caplog):
    complaints = background.Complaints()
    for number in range(1_000):
        complaints.say(type(f"Kind{number}", (Exception,), {})(), "it failed", is_expected=True)
    assert len(complaints._kinds) <= background.MOST_KINDS


def started(task, monkeypatch):
    """`task` as if its thread ran, with the steps taken by the test."""
    monkeypatch.setattr(threading.Thread, "start", lambda _: None)
    task.start()
    return task


def test_its_last_success_is_known(clock, monkeypatch):
    tasks = Tasks()
    task = tasks.add(a_task(Steps(None, RuntimeError()), fresh_seconds=3))
    clock.now += 100
    assert tasks.stale() == []  # it has not begun
    started(task, monkeypatch)
    clock.now += 2
    task.run_once()
    clock.now += 2
    task.run_once()
    assert (task.age, tasks.stale()) == (2, [])
    clock.now += 2
    assert tasks.stale() == ["task"]
    task.run_once()
    assert tasks.stale() == []


def test_one_that_stands_still_ends_its_process(clock, monkeypatch):
    tasks = Tasks()
    task = started(tasks.add(a_task(Steps())), monkeypatch)
    clock.now += background.STUCK_SECONDS - 1
    assert tasks.go_on()
    clock.now += 2
    assert not tasks.go_on()
    task.run_once()
    assert tasks.go_on()


@pytest.mark.parametrize(("error", "goes_on"), [(ConnectionError(), True), (RuntimeError(), False)])
def test_one_that_always_fails_ends_its_process_unless_others_are_away(clock, monkeypatch, error, goes_on):
    task = started(a_task(Steps(*[error] * 1_000), expected=(ConnectionError,)), monkeypatch)
    for _ in range(70):
        clock.now += 1
        task.run_once()
    assert task.goes_on is goes_on
    task._step = lambda: None
    task.run_once()
    assert task.goes_on
