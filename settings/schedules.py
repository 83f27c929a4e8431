"""When each market trades: the tables `[session]` and `[session.NAME]` of `exchange.toml`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from settings.calendars import check_calendar
from settings.sections import PHASES_OF_DAY, TradingSchedule
from settings.spelling import nearest
from settings.values import SettingsError, checked

SECONDS_OF_DAY = 86_400


def schedules_of(given: Mapping[str, tuple[Any, str]]) -> tuple[TradingSchedule, dict[str, TradingSchedule]]:
    """The schedule of `[session]`, and those of the markets with a `[session.NAME]`, which leave out what is alike.

    `given`: each key with its value and the place where it was given. Raises SettingsError.
    """
    own = {key: pair for key, pair in given.items() if not isinstance(pair[0], dict)}
    sessions = {}
    for name, (keys, place) in given.items():
        if isinstance(keys, dict):
            file = place.partition(":")[0]
            sessions[name] = _schedule({**own, **_keys_of_market(name, keys, file)})
    return _schedule(own), sessions


def _keys_of_market(name: str, keys: Mapping[str, Any], file: str) -> dict[str, tuple[Any, str]]:
    known = {setting.name for setting in dataclasses.fields(TradingSchedule)}
    for key in keys:
        if key not in known:
            raise SettingsError(f"{file}: [session.{name}] has no key {key!r}{nearest(key, known)}")
    return {key: (value, f"{file}: [session.{name}] {key}") for key, value in keys.items()}


def _schedule(given: Mapping[str, tuple[Any, str]]) -> TradingSchedule:
    """The schedule of one market. Raises SettingsError where its calendar is unknown, or no day could go in order.

    That clocks are put forward or back is no matter for here: `services.stocks.schedule` keeps the order of every day.
    """
    schedule = TradingSchedule(**{key: checked(TradingSchedule, key, *pair) for key, pair in given.items()})
    check_calendar(schedule.calendar, given.get("calendar", ("", ""))[1])
    begins = {phase: _seconds_of(getattr(schedule, phase)) for phase in PHASES_OF_DAY}
    place = next((pair[1] for pair in given.values()), "[session]").rpartition(" ")[0] or "[session]"
    if sorted(set(begins.values())) != list(begins.values()):
        raise SettingsError(f"{place}: expected {' < '.join(PHASES_OF_DAY)}, each later than the one before")
    if begins["open"] + schedule.random_end_seconds >= begins["closing_auction"]:
        raise SettingsError(f"{place}: the opening auction would end after the closing auction has begun")
    if begins["close"] + schedule.random_end_seconds >= SECONDS_OF_DAY:
        raise SettingsError(
            f"{place}: the closing auction could end after midnight: expected close + random_end_seconds before 24:00"
        )
    return schedule


def _seconds_of(time: str) -> int:
    hours, minutes, *seconds = map(int, time.split(":"))
    return hours * 3_600 + minutes * 60 + sum(seconds)
