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

from setting_values import WEEKDAYS, SettingsError, checked

ROOT = Path(__file__).resolve().parent
"""The checkout: where `exchange.toml`, `Procfile` and `migrations/` are."""

ENVIRONMENT_PREFIX = "MINEX_"
NOT_SETTINGS = frozenset({"MINEX_CONFIG", "MINEX_FAULT"})
"""Variables with our prefix that are read elsewhere: where the file is, and the fault points of the tests."""


def _number(default: int, minimum: int, maximum: int) -> Any:
    return field(default=default, metadata={"minimum": minimum, "maximum": maximum})


ALWAYS_OPEN = "always_open"
DAILY = "daily"
MAIN_MARKET = "main"
"""The market of stocks that name no other; it follows the schedule of `[session]` itself."""
PHASES_OF_DAY = ("pre_open", "opening_auction", "open", "closing_auction", "close")
"""The keys that say when each phase of a trading day begins, in their order."""


def _time(default: str) -> Any:
    return field(default=default, metadata={"kind": "time"})


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
class Session:
    """When the stocks of a market trade. Times are those of the market's own clocks."""

    schedule: str = _choice(ALWAYS_OPEN, ALWAYS_OPEN, DAILY)
    timezone: str = field(default="America/Sao_Paulo", metadata={"kind": "zone"})
    roll_at: str = _time("00:00")
    days: tuple[str, ...] = field(default=WEEKDAYS[:5], metadata={"kind": "day"})
    holidays: tuple[str, ...] = field(default=(), metadata={"kind": "date"})
    pre_open: str = _time("09:30")
    opening_auction: str = _time("09:45")
    open: str = _time("10:00")
    closing_auction: str = _time("16:55")
    close: str = _time("17:00")
    random_end_seconds: int = _number(30, 0, 3_600)
    volatility_auction_seconds: int = _number(60, 1, 3_600)


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
    session: Session = field(default_factory=Session)
    log: Log = field(default_factory=Log)
    sessions: Mapping[str, Session] = field(default_factory=dict, metadata={"section": False})
    """The schedules of markets that have one of their own, by the market's name."""

    def session_of(self, market: str) -> Session:
        """The schedule that the stocks of `market` follow."""
        return self.sessions.get(market, self.session)


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
    for name in _sections():
        cls = _section_class(name)
        given = values.get(name, {})
        sections[name] = cls(**{key: checked(cls, key, *pair) for key, pair in given.items() if name != "session"})
    sections["session"], sections["sessions"] = _sessions(values.get("session", {}))
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


def _sections() -> list[str]:
    return [section.name for section in dataclasses.fields(Settings) if section.metadata.get("section", True)]


def _section_class(section: str) -> Any:
    return get_type_hints(Settings)[section]


def _variables() -> dict[str, tuple[str, str]]:
    names = {}
    for section in _sections():
        prefix = ENVIRONMENT_PREFIX if section == "exchange" else f"{ENVIRONMENT_PREFIX}{section.upper()}_"
        for setting in dataclasses.fields(_section_class(section)):
            names[f"{prefix}{setting.name.upper()}"] = (section, setting.name)
    return names


def _from_file(path: Path) -> dict[str, dict[str, tuple[Any, str]]]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from error
    known = set(_sections())
    values: dict[str, dict[str, tuple[Any, str]]] = {}
    for section, keys in document.items():
        if section not in known or not isinstance(keys, dict):
            raise SettingsError(f"{path.name}: unknown section [{section}]{_nearest(section, known)}")
        known_keys = {setting.name for setting in dataclasses.fields(_section_class(section))}
        for key, value in keys.items():
            if key not in known_keys and not (section == "session" and isinstance(value, dict)):
                raise SettingsError(f"{path.name}: [{section}] has no key {key!r}{_nearest(key, known_keys)}")
        values[section] = {key: (value, f"{path.name}: [{section}] {key}") for key, value in keys.items()}
    return values


def _sessions(given: Mapping[str, tuple[Any, str]]) -> tuple[Session, dict[str, Session]]:
    """The schedule of `[session]`, and those of the markets with a `[session.NAME]`, which leave out what is alike."""
    own = {key: pair for key, pair in given.items() if not isinstance(pair[0], dict)}
    sessions = {}
    for name, (keys, place) in given.items():
        if isinstance(keys, dict):
            file = place.partition(":")[0]
            sessions[name] = _session({**own, **_keys_of_market(name, keys, file)})
    return _session(own), sessions


def _keys_of_market(name: str, keys: Mapping[str, Any], file: str) -> dict[str, tuple[Any, str]]:
    known = {setting.name for setting in dataclasses.fields(Session)}
    for key in keys:
        if key not in known:
            raise SettingsError(f"{file}: [session.{name}] has no key {key!r}{_nearest(key, known)}")
    return {key: (value, f"{file}: [session.{name}] {key}") for key, value in keys.items()}


def _session(given: Mapping[str, tuple[Any, str]]) -> Session:
    session = Session(**{key: checked(Session, key, *pair) for key, pair in given.items()})
    begins = [_seconds_of(getattr(session, phase)) for phase in PHASES_OF_DAY]
    place = next((pair[1] for pair in given.values()), "[session]").rpartition(" ")[0] or "[session]"
    if sorted(set(begins)) != begins:
        raise SettingsError(f"{place}: expected {' < '.join(PHASES_OF_DAY)}, each later than the one before")
    if begins[2] + session.random_end_seconds >= begins[3]:
        raise SettingsError(f"{place}: the opening auction would end after the closing auction has begun")
    return session


def _seconds_of(time: str) -> int:
    hours, minutes, *seconds = map(int, time.split(":"))
    return hours * 3_600 + minutes * 60 + sum(seconds)


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    known = {*_variables(), *NOT_SETTINGS}
    for name in environment:
        if name.startswith(ENVIRONMENT_PREFIX) and name not in known:
            raise SettingsError(f"{name}: no such setting{_nearest(name, known)}")


def _nearest(word: str, known: set[str]) -> str:
    near = difflib.get_close_matches(word, sorted(known), 1)
    return f"; did you mean {near[0]!r}?" if near else ""
