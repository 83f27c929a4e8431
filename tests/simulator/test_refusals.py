"""What was refused is not asked for again at once, and what is taken ends a suspension."""

from __future__ import annotations

import logging

import pytest

from client import Refused
from simulator.refusals import REFUSED_SECONDS, SUSPENDED_SECONDS, Refusals


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def refusals(clock: Clock) -> Refusals:
    return Refusals("makers", clock)


def refused(code: str, status: int = 422) -> Refused:
    return Refused(status, {"code": code, "detail": "why"})


def test_a_side_for_which_there_is_not_enough_waits_and_the_other_does_not(refusals: Refusals, clock: Clock) -> None:
    refusals.heed(refused("insufficient_shares"), "PETR4", "ask")
    assert [refusals.may("PETR4", side) for side in ("ask", "bid", "")] == [False, True, True]
    assert refusals.may("VALE3", "ask")
    clock.now += REFUSED_SECONDS
    assert refusals.may("PETR4", "ask")


def test_a_stock_that_takes_nothing_waits_as_a_whole(refusals: Refusals) -> None:
    refusals.heed(refused("stock_halted", 409), "PETR4", "ask")
    assert not any(refusals.may("PETR4", side) for side in ("ask", "bid", ""))


def test_a_suspension_is_told_once_and_its_end(
    refusals: Refusals, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    for _ in range(3):
        refusals.heed(refused("broker_suspended", 403))
        assert refusals.is_suspended
        clock.now += SUSPENDED_SECONDS
        assert not refusals.is_suspended, "then it is tried once"
    refusals.note_taken()
    refusals.note_taken()
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "suspended; nothing is sent until it may trade again",
        "may trade again",
    ]


def test_a_key_that_is_not_good_ends_it(refusals: Refusals) -> None:
    refusals.heed(refused("key_revoked", 401))
    assert refusals.for_good is not None
    assert not refusals.is_suspended
