"""Typed settings: `exchange.toml` first, then `MINEX_*` variables; the only reader of the environment.

Every key of a section of `exchange.toml` can be given as `MINEX_<SECTION>_<KEY>` (`MINEX_WEB_PORT`); the keys of
`[exchange]` are short: `MINEX_<KEY>` (`MINEX_DEBUG`). A wrong value or an unknown key stops the start with one line
that names the place, the value and what was expected.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

ROOT = Path(__file__).resolve().parent
"""The checkout: where `exchange.toml`, `Procfile` and `migrations/` are."""

ENVIRONMENT_PREFIX = "MINEX_"
NOT_SETTINGS = frozenset({"MINEX_CONFIG", "MINEX_FAULT"})
"""Variables with our prefix that are read elsewhere: where the file is, and the fault points of the tests."""


class SettingsError(Exception):
    """A setting is missing, unknown or has a wrong value; the message is one line for the terminal."""


def _number(default: int, minimum: int, maximum: int) -> Any:
    return field(default=default, metadata={"minimum": minimum, "maximum": maximum})


def _choice(default: str, *choices: str) -> Any:
    return field(default=default, metadata={"choices": choices})


@dataclass(frozen=True)
class Exchange:
    """What concerns every process."""

    name: str = "Minex"
    currency: str = "BRL"
    debug: bool = False
    list_unknown_symbols: bool = False
    demo: bool = True
    admin_key: str = ""
    data_folder: str = ""


@dataclass(frozen=True)
class Database:
    """PostgreSQL; an empty url means the embedded server."""

    url: str = ""
    pool_size: int = _number(16, 1, 500)
    statement_timeout_ms: int = _number(5_000, 100, 600_000)


@dataclass(frozen=True)
class Redis:
    """Redis or Valkey; an empty url means the embedded server."""

    url: str = ""
    timeout_ms: int = _number(1_000, 50, 60_000)


@dataclass(frozen=True)
class Web:
    """The REST processes."""

    host: str = "127.0.0.1"
    port: int = _number(8000, 0, 65_535)
    processes: int = _number(0, 0, 64)
    connections: int = _number(1_000, 1, 100_000)
    waiting: int = _number(64, 1, 10_000)
    body_limit_bytes: int = _number(65_536, 1_024, 16_777_216)
    batch_body_limit_bytes: int = _number(1_048_576, 1_024, 67_108_864)
    body_deadline_ms: int = _number(5_000, 100, 60_000)
    max_wait_seconds: int = _number(10, 0, 60)
    cancel_wait_ms: int = _number(2_000, 0, 60_000)
    key_cache_ms: int = _number(2_000, 0, 5_000)


@dataclass(frozen=True)
class Live:
    """The Socket.IO processes."""

    host: str = "127.0.0.1"
    port: int = _number(8001, 0, 65_535)
    origins: tuple[str, ...] = ()
    snapshot_interval_ms: int = _number(1_000, 50, 60_000)


@dataclass(frozen=True)
class Match:
    """The group workers."""

    groups: tuple[str, ...] = ("A",)
    turn_limit: int = _number(2_000, 1, 100_000)
    backlog_limit: int = _number(20_000, 0, 10_000_000)
    idle_in_transaction_ms: int = _number(2_000, 100, 60_000)
    lock_timeout_ms: int = _number(4_000, 100, 60_000)


@dataclass(frozen=True)
class Limits:
    """How much each broker may ask for in a second, and how many wrong keys an address may try; 0 is no limit."""

    orders_per_second: int = _number(0, 0, 1_000_000)
    cancels_per_second: int = _number(0, 0, 1_000_000)
    reads_per_second: int = _number(0, 0, 1_000_000)
    failures_per_minute: int = _number(0, 0, 1_000_000)


@dataclass(frozen=True)
class Clock:
    """The periodic jobs."""

    interval_ms: int = _number(250, 10, 60_000)
    sweep_after_ms: int = _number(1_000, 50, 60_000)
    lease_seconds: int = _number(5, 1, 300)


@dataclass(frozen=True)
class Market:
    """Rules of newly listed stocks and limits of every order."""

    tick_size: int = _number(1, 1, 1_000_000)
    lot_size: int = _number(1, 1, 1_000_000)
    band_bps: int = _number(1_000, 0, 9_999)
    band_reference: str = _choice("session", "session", "last")
    dynamic_band_bps: int = _number(0, 0, 9_999)
    execution_price: str = _choice("maker", "maker", "seller")
    self_trade_prevention: str = _choice(
        "cancel_resting", "none", "cancel_resting", "cancel_incoming", "cancel_both", "decrement"
    )
    protection_bps: int = _number(500, 0, 100_000)
    smallest_display_bps: int = _number(100, 1, 10_000)
    max_price: int = _number(1_000_000_000, 1, 10**12)
    max_quantity: int = _number(1_000_000_000, 1, 10**12)
    max_notional: int = _number(1_000_000_000_000_000, 1, 10**17)


@dataclass(frozen=True)
class Log:
    """What the processes write to stderr."""

    level: str = _choice("info", "debug", "info", "warning", "error")
    format: str = _choice("text", "text", "json")


@dataclass(frozen=True)
class Settings:
    """All sections; immutable, made once at a process's start and passed in."""

    exchange: Exchange = field(default_factory=Exchange)
    database: Database = field(default_factory=Database)
    redis: Redis = field(default_factory=Redis)
    web: Web = field(default_factory=Web)
    live: Live = field(default_factory=Live)
    match: Match = field(default_factory=Match)
    limits: Limits = field(default_factory=Limits)
    clock: Clock = field(default_factory=Clock)
    market: Market = field(default_factory=Market)
    log: Log = field(default_factory=Log)


def load_settings(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the file (default: `MINEX_CONFIG`, else `exchange.toml` of the checkout) and the environment.

    Raises SettingsError, whose message names the file or variable, the key and what was expected.
    """
    environment = os.environ if environment is None else environment
    path = path or Path(environment.get("MINEX_CONFIG") or ROOT / "exchange.toml")
    values = _from_file(path)
    for variable, (section, key) in _variables().items():
        if variable in environment:
            values.setdefault(section, {})[key] = (environment[variable], variable)
    _refuse_unknown_variables(environment)
    sections = {}
    for name in (section.name for section in dataclasses.fields(Settings)):
        cls = _section_class(name)
        given = values.get(name, {})
        sections[name] = cls(**{key: _checked(cls, key, *pair) for key, pair in given.items()})
    return Settings(**sections)


def variables_of(settings: Settings) -> dict[str, str]:
    """The settings as `MINEX_*` variables, for a child process that shall see the same."""
    variables = {}
    for name, (section, key) in _variables().items():
        value = getattr(getattr(settings, section), key)
        if isinstance(value, tuple):
            value = ",".join(value)
        variables[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return variables


def fault() -> str:
    """The fault that a test wants to happen, such as `before_commit:kill`; empty in real life."""
    return os.environ.get("MINEX_FAULT", "")


def _section_class(section: str) -> Any:
    return get_type_hints(Settings)[section]


def _variables() -> dict[str, tuple[str, str]]:
    names = {}
    for section in dataclasses.fields(Settings):
        prefix = ENVIRONMENT_PREFIX if section.name == "exchange" else f"{ENVIRONMENT_PREFIX}{section.name.upper()}_"
        for setting in dataclasses.fields(_section_class(section.name)):
            names[f"{prefix}{setting.name.upper()}"] = (section.name, setting.name)
    return names


def _from_file(path: Path) -> dict[str, dict[str, tuple[Any, str]]]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from error
    known = {section.name for section in dataclasses.fields(Settings)}
    values: dict[str, dict[str, tuple[Any, str]]] = {}
    for section, keys in document.items():
        if section not in known or not isinstance(keys, dict):
            raise SettingsError(f"{path.name}: unknown section [{section}]{_nearest(section, known)}")
        known_keys = {setting.name for setting in dataclasses.fields(_section_class(section))}
        for key in keys:
            if key not in known_keys:
                raise SettingsError(f"{path.name}: [{section}] has no key {key!r}{_nearest(key, known_keys)}")
        values[section] = {key: (value, f"{path.name}: [{section}] {key}") for key, value in keys.items()}
    return values


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    known = {*_variables(), *NOT_SETTINGS}
    for name in environment:
        if name.startswith(ENVIRONMENT_PREFIX) and name not in known:
            raise SettingsError(f"{name}: no such setting{_nearest(name, known)}")


def _nearest(word: str, known: set[str]) -> str:
    near = difflib.get_close_matches(word, sorted(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _checked(cls: Any, key: str, value: Any, place: str) -> Any:
    wanted = get_type_hints(cls)[key]
    rule = next(f.metadata for f in dataclasses.fields(cls) if f.name == key)
    if wanted is bool:
        return _boolean(value, place)
    if wanted is int:
        return _integer(value, place, rule)
    if wanted is str:
        if not isinstance(value, str) or value not in rule.get("choices", (value,)):
            choices = ", ".join(rule.get("choices", ())) or "text"
            raise SettingsError(f"{place} = {value!r}: expected {choices}")
        return value
    return _words(value, place)


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


def _words(value: Any, place: str) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [word.strip() for word in value.split(",") if word.strip()]
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise SettingsError(f"{place} = {value!r}: expected a list of words")
    return tuple(value)
