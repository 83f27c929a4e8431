"""How fast one socket may speak."""

import pytest

from live.sockets import pace as module
from live.sockets.pace import FRAMES_AT_ONCE, FRAMES_PER_SECOND, Pace


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 50.0

    monkeypatch.setattr(module.time, "monotonic", lambda: Clock.now)
    return Clock


def test_many_frames_may_come_at_once_and_then_each_waits_for_its_share_of_a_second(clock):
    pace = Pace()
    assert [pace.seconds_to_wait() for _ in range(FRAMES_AT_ONCE)] == [0.0] * FRAMES_AT_ONCE
    for number in range(1, 4):
        assert pace.seconds_to_wait() == pytest.approx(number / FRAMES_PER_SECOND)


def test_who_waits_as_he_is_told_is_as_fast_as_may_be(clock):
    pace = Pace()
    began, frames = clock.now, 0
    while clock.now < began + 10:
        clock.now += pace.seconds_to_wait()
        frames += 1
    assert frames == pytest.approx(FRAMES_AT_ONCE + 10 * FRAMES_PER_SECOND, abs=2)


def test_silence_gives_no_more_than_it_was_at_first(clock):
    pace = Pace()
    clock.now += 3_600
    waits = [pace.seconds_to_wait() for _ in range(FRAMES_AT_ONCE + 1)]
    assert sum(wait > 0 for wait in waits) == 1
