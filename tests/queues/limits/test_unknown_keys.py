"""Given unknown keys, then the log says from where, and no stranger fills it."""

import logging

import pytest

from queues.limits.counters import Counters
from queues.limits.unknown_keys import MOST_NAMED, OTHERS, UnknownKeys
from settings.sections import Limits, Redis


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> UnknownKeys:
    """Without a limit, and in a minute that never ends."""
    monkeypatch.setattr("queues.limits.unknown_keys.time.monotonic", lambda: 90.0)
    return UnknownKeys(Limits(), Counters(Redis()))


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What this module warns of; threads of other tests may look for a Redis meanwhile."""
    own = [record for record in caplog.records if record.name == "queues.limits.unknown_keys"]
    return [record.getMessage() for record in own if record.levelno == logging.WARNING]


def test_an_address_has_a_line_for_its_first_tenth_hundredth_key(
    keys: UnknownKeys, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(1_234):
        keys.note("192.0.2.1")
    keys.note("2001:db8::/64")
    counts = [1, 10, 100, 1_000]
    lines = [f"unknown keys were refused: {count} from 192.0.2.1 in this minute" for count in counts]
    assert said(caplog) == [*lines, "unknown keys were refused: 1 from 2001:db8::/64 in this minute"]


def test_however_many_addresses_there_are_the_log_stays_short(
    keys: UnknownKeys, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(100_000):
        keys.note(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    lines = said(caplog)
    assert len(lines) == MOST_NAMED + 5
    assert lines[-1] == f"unknown keys were refused: 10000 from {OTHERS} in this minute"


def test_the_next_minute_is_counted_anew(
    keys: UnknownKeys, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keys.note("192.0.2.1")
    monkeypatch.setattr("queues.limits.unknown_keys.time.monotonic", lambda: 150.0)
    keys.note("192.0.2.1")
    assert len(said(caplog)) == 2
