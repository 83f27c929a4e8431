"""What the value of a setting may be: whole numbers in a range, words out of a few, times, dates, time zones, urls."""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from ipaddress import ip_network
from typing import Any, get_type_hints
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from settings.urls import POSTGRESQL, REDIS, is_url_of

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


types_of = functools.cache(get_type_hints)
"""The type of each key of a section, by its name."""


class SettingsError(Exception):
    """A setting is missing, unknown or has a wrong value; the message is one line for the terminal."""


def checked(cls: Any, key: str, value: Any, place: str) -> Any:
    """The value of setting `key` of the dataclass `cls`, as its type wants it; `place` is where it was given.

    Raises SettingsError, which names the place, the value and what was expected.
    """
    wanted = types_of(cls)[key]
    rule = next(f.metadata for f in dataclasses.fields(cls) if f.name == key)
    if wanted in (bool, bool | None):
        return _boolean(value, place)
    if wanted is int:
        return _integer(value, place, rule)
    if wanted is str:
        shown = "" if rule.get("secret") else f" = {value!r}"
        if not isinstance(value, str) or value not in rule.get("choices", (value,)):
            choices = ", ".join(rule.get("choices", ())) or "text"
            raise SettingsError(f"{place}{shown}: expected {choices}")
        _check_kind(value, place, rule.get("kind"), shown)
        return value
    words = _words(value, place, rule.get("keys", ()))
    for word in words:
        _check_kind(word, place, rule.get("kind"), shown=f" = {word!r}")
    least, repeats = rule.get("least", 0), rule.get("repeats", False)
    if len(words) < least or (len(set(words)) < len(words) and not repeats):
        expected = f"{least} or more words" if repeats else f"{least} or more words, none twice"
        raise SettingsError(f"{place} = {','.join(words)!r}: expected {expected}")
    return words


def _check_kind(word: str, place: str, kind: str | None, shown: str) -> None:
    """Raises SettingsError unless `word` is what it has to be; `shown` is how the message repeats it, if it may."""
    check, expected = KINDS[kind] if kind else (lambda word: True, "")
    try:
        holds = check(word)
    except (ValueError, OSError, ZoneInfoNotFoundError):
        holds = False
    if not holds:
        raise SettingsError(f"{place}{shown}: expected {expected}")


SYMBOL = "[A-Za-z0-9][A-Za-z0-9_.-]{0,31}"

APART = ", with the password in it or given apart as `password`"

KINDS: dict[str, tuple[Callable[[str], Any], str]] = {
    "time": (lambda word: re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?", word, re.ASCII), "a time such as 09:30"),
    "day": (lambda word: word in WEEKDAYS, f"days out of {', '.join(WEEKDAYS)}"),
    "date": (lambda word: date.fromisoformat(word) and len(word) == len("2026-12-25"), "dates such as 2026-12-25"),
    "group": (
        lambda word: re.fullmatch(r"[A-Za-z0-9_.-]{1,32}", word, re.ASCII),
        "names of 1 to 32 letters, digits, _ . and -",
    ),
    "symbol": (
        lambda word: re.fullmatch(SYMBOL, word, re.ASCII),
        "symbols of stocks, such as PETR4",
    ),
    "key": (
        lambda word: re.fullmatch(r"(mx_[A-Za-z0-9_-]{43,200})?", word, re.ASCII),
        "an API key: mx_ and 43 or more letters, digits, _ and -",
    ),
    "network": (ip_network, "addresses, or networks such as 10.0.0.0/24"),
    "position": (
        lambda word: re.fullmatch(rf"{SYMBOL}:[1-9][0-9]{{0,11}}", word, re.ASCII),
        "symbols with shares, such as PETR4:100",
    ),
    "tier": (
        lambda word: re.fullmatch(r"[0-9]{1,18}(:([0-9]{1,3}|1000)){2}", word, re.ASCII),
        "from_volume (cents), maker_bps and taker_bps (0 to 1000), such as 1000000000:4:8",
    ),
    "guideline": (
        lambda word: re.fullmatch(r"[0-9]{1,12}:[1-9][0-9]{0,5}", word, re.ASCII),
        "from_price (cents) and away_bps (1 or more), such as 2500:500",
    ),
    "seconds": (
        lambda word: re.fullmatch(r"[0-9]{1,7}(\.[0-9]{1,3})?", word, re.ASCII) and float(word) > 0,
        "seconds, such as 5 or 0.25",
    ),
    "zone": (ZoneInfo, "a time zone such as America/Sao_Paulo"),
    "postgresql": (lambda word: is_url_of(word, POSTGRESQL), f"postgresql://user@host:5432/name{APART}"),
    "redis": (lambda word: is_url_of(word, REDIS), f"redis://host:6379/0{APART}"),
}
"""What some words have to be, and what is said when they are not."""


def _word(table: Mapping[str, Any], place: str, keys: Sequence[str]) -> str:
    if table.keys() != set(keys):
        raise SettingsError(
            f"{place}: expected tables with {', '.join(keys)}, not {', '.join(table) or 'an empty one'}"
        )
    return ":".join(str(table[key]) for key in keys)


def _boolean(value: Any, place: str) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise SettingsError(f"{place} = {value!r}: expected true or false")


def _integer(value: Any, place: str, rule: Mapping[str, int]) -> int:
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not rule["minimum"] <= value <= rule["maximum"]:
        raise SettingsError(f"{place} = {value!r}: expected a whole number from {rule['minimum']} to {rule['maximum']}")
    return value


def _words(value: Any, place: str, keys: Sequence[str] = ()) -> tuple[str, ...]:
    """A list of words; each may also be a table with these keys, whose values the word has in their order."""
    if isinstance(value, str):
        value = [word.strip() for word in value.split(",") if word.strip()]
    if keys and isinstance(value, list):
        value = [_word(table, place, keys) if isinstance(table, dict) else table for table in value]
    if isinstance(value, list):
        value = [str(word) if type(word) in (int, float) else word for word in value]
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise SettingsError(f"{place} = {value!r}: expected a list of words")
    return tuple(value)
