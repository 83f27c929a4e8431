"""Given many receivers, when some never answer, then the others are told as if there were none."""

import threading
from collections import Counter

import pytest
from sqlalchemy.exc import OperationalError

from tests.flows.exchange import until
from workers.sending.run import Run
from workers.sending.senders import Senders

DEAD = range(100, 160)


class Receivers:
    """Stands in for `deliver`: some answer at once, some only when the test is over."""

    def __init__(self):
        self.runs = Counter()
        self.over = threading.Event()
        self.answers = {}

    def deliver(self, engine, broker_id, sending, stopped):
        self.runs[broker_id] += 1
        if broker_id in DEAD:
            self.over.wait(60)
            return Run(None, is_quick=False)
        answer = self.answers.get(broker_id, Run(None, is_quick=True))
        if isinstance(answer, Exception):
            raise answer
        return answer() if callable(answer) else answer


@pytest.fixture
def receivers(monkeypatch):
    receivers = Receivers()
    monkeypatch.setattr("workers.sending.senders.deliver", receivers.deliver)
    yield receivers
    receivers.over.set()


@pytest.fixture
def senders(receivers):
    senders = Senders(None, None, 8)
    yield senders
    receivers.over.set()
    senders.stop()


def test_those_that_answer_do_not_wait_for_the_dead(senders, receivers):
    senders.look_at([1, 2])
    until(lambda: receivers.runs[1] and receivers.runs[2] and not senders.running, "both have answered")
    senders.look_at(DEAD)
    for number in range(2, 6):
        senders.look_at([1, 2])
        until(lambda number=number: receivers.runs[1] == receivers.runs[2] == number, "they are told again")
        until(lambda: not senders.running & {1, 2}, "they are done")
    assert senders.running == set(DEAD)


def test_those_that_were_well_before_a_restart_are_believed_to_be(senders, receivers):
    senders.expect_quick([7])
    senders.look_at([*DEAD, 7])
    until(lambda: receivers.runs[7] == 1, "it is told")


def test_a_broker_is_looked_at_once_at_a_time_and_again_if_more_came(senders, receivers):
    begun, go_on = threading.Event(), threading.Event()

    def slowly():
        begun.set()
        go_on.wait(60)
        return Run(None, is_quick=True)

    receivers.answers[1] = slowly
    senders.look_at([1])
    assert begun.wait(60)
    for _ in range(10):
        senders.look_at([1])
    assert receivers.runs[1] == 1
    go_on.set()
    until(lambda: receivers.runs[1] == 2 and not senders.running, "it is looked at once more")


def test_what_is_due_right_now_goes_on_at_once(senders, receivers):
    left = iter([0.0] * 20)
    receivers.answers[1] = lambda: Run(next(left, None), is_quick=True)
    senders.look_at([1])
    until(lambda: receivers.runs[1] == 21, "until nothing is due")


def test_what_is_due_later_comes_later(senders, receivers):
    receivers.answers[1] = Run(3_600.0, is_quick=False)
    senders.look_at([1])
    until(lambda: receivers.runs[1] == 1 and not senders.running, "it was tried")
    senders.find([1])
    senders.go_on()
    assert receivers.runs[1] == 1
    assert 0 < senders.seconds_to_next() <= 0.25
    senders.look_at([1])
    assert receivers.runs[1] == 1, "a job does not hurry a receiver that has just been tried"
    until(lambda: senders.go_on() or receivers.runs[1] == 2, "but soon it is looked at again")


@pytest.mark.parametrize("error", [OperationalError("", {}, Exception()), ValueError("a bug")])
def test_an_error_costs_one_run(senders, receivers, error, caplog):
    receivers.answers[1] = error
    senders.look_at([1])
    until(lambda: receivers.runs[1] == 1 and not senders.running, "it broke")
    assert "broker 1" in caplog.text
    receivers.answers[1] = Run(None, is_quick=True)
    until(lambda: senders.go_on() or receivers.runs[1] == 2, "it is tried again")


def test_nothing_begins_after_the_end(receivers):
    senders = Senders(None, None, 2)
    senders.stop()
    senders.look_at([1])
    assert receivers.runs[1] == 0
