"""Reads the settings: `exchange.toml` first, then `MINEX_*` variables; the only reader of the environment.

Every key of a section of `exchange.toml` can be given as `MINEX_<SECTION>_<KEY>` (`MINEX_WEB_PORT`); the keys of
`[exchange]` are short: `MINEX_<KEY>` (`MINEX_DEBUG`). A wrong value or an unknown key stops the start with one line
that names the place, the value and what was expected.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from settings.admin_key import check_admin_key
from settings.schedules import schedules_of
from settings.sections import Settings
from settings.spelling import nearest
from settings.token_secret import check_token_secret
from settings.urls import completed
from settings.values import SettingsError, checked, types_of

ROOT = Path(__file__).resolve().parents[1]
"""The checkout: where `exchange.toml`, `Procfile` and `migrations/` are."""

ENVIRONMENT_PREFIX = "MINEX_"
HEARTBEATS = "MINEX_HEARTBEATS"
LISTENER = "MINEX_LISTENER"
COMMAND = "MINEX_COMMAND"
FAULT = "MINEX_FAULT"
NOT_SETTINGS = frozenset(
    {
        "MINEX_CONFIG",
        FAULT,
        "MINEX_MAKER_KEY",
        "MINEX_TAKER_KEY",
        "MINEX_WEBHOOK_SECRET",
        "MINEX_KEY",
        "MINEX_URL",
        HEARTBEATS,
        LISTENER,
        COMMAND,
    }
)
"""Variables with our prefix that are no settings: where the file is, the fault points of the tests, the keys of the
brokers of `minex replay`, the secret of `minex webhook`, the key and the address of the commands that trade, the folder
in which somebody looks for signs of life, the socket that it hands down, and how `./minex` was called."""


def load_settings(path: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from the file (default: `MINEX_CONFIG`, else `exchange.toml` of the checkout) and the environment.

    Raises SettingsError, whose message names the file or variable, the key and what was expected.
    """
    environment = os.environ if environment is None else environment
    path = path or file_of(environment)
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
    exchange, hosts = sections["exchange"], (sections["web"].host, sections["live"].host)
    check_admin_key(exchange.admin_key, values.get("exchange", {}).get("admin_key", ("", ""))[1], hosts)
    for key in ("token_secret", "previous_token_secret"):
        check_token_secret(getattr(sections["identity"], key), values.get("identity", {}).get(key, ("", ""))[1])
    if environment.get(FAULT) and not exchange.debug:
        raise SettingsError(f"{FAULT}: kills processes on purpose, for tests: expected only where debug = true")
    for name in ("database", "redis"):
        sections[name] = _with_passwords(sections[name], name)
    sections["session"], sections["sessions"] = schedules_of(values.get("session", {}))
    return Settings(**sections)


def file_of(environment: Mapping[str, str]) -> Path:
    """The file that the settings are read from."""
    return Path(environment.get("MINEX_CONFIG") or ROOT / "exchange.toml").absolute()


def variables_of(settings: Settings) -> dict[str, str]:
    """The settings as `MINEX_*` variables, for a child process that shall see the same."""
    variables = {}
    for name, (section, key) in _variables().items():
        value = getattr(getattr(settings, section), key)
        if value is None:
            continue
        if isinstance(value, tuple):
            value = ",".join(value)
        variables[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return variables


def fault() -> str:
    """The fault that a test wants to happen, such as `before_commit:kill`; empty in real life."""
    return os.environ.get(FAULT, "")


def heartbeats_folder() -> str:
    """The folder in which a supervisor, or `minex alive`, looks for this process's signs of life; empty for none."""
    return os.environ.get(HEARTBEATS, "")


def called_as() -> str:
    """The command as the user called it, such as `./minex`; `minex` where the shell finds that, or nobody knows."""
    given = os.environ.get(COMMAND, "")
    found = shutil.which(Path(given).name) if given else None
    return given if given and not (found and Path(found) == Path(given)) else Path(given or "minex").name


def listener() -> int | None:
    """The descriptor of the socket that the supervisor has opened for this process; None where there is none."""
    given = os.environ.get(LISTENER, "")
    return int(given) if given.isdecimal() else None


def _sections() -> list[str]:
    return [section.name for section in dataclasses.fields(Settings) if section.metadata.get("section", True)]


def _section_class(section: str) -> Any:
    return types_of(Settings)[section]


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
            raise SettingsError(f"{path.name}: unknown section [{section}]{nearest(section, known)}")
        known_keys = {setting.name for setting in dataclasses.fields(_section_class(section))}
        for key, value in keys.items():
            if key not in known_keys and not (section == "session" and isinstance(value, dict)):
                raise SettingsError(f"{path.name}: [{section}] has no key {key!r}{nearest(key, known_keys)}")
        values[section] = {key: (value, f"{path.name}: [{section}] {key}") for key, value in keys.items()}
    return values


def _with_passwords(section: Any, name: str) -> Any:
    """The section of a server with each password in the url that it belongs to."""
    urls = {}
    for key in (setting.name for setting in dataclasses.fields(section) if setting.name.endswith("url")):
        password = f"{key.removesuffix('url')}password"
        url, secret = getattr(section, key), getattr(section, password)
        if secret and not url:
            raise SettingsError(f"[{name}] {password}: expected a [{name}] {key} that it belongs to")
        if url and not section.url:
            raise SettingsError(f"[{name}] {key}: expected a [{name}] url as well, that of the processes")
        urls[key] = completed(url, secret)
    return dataclasses.replace(section, **urls)


def _refuse_unknown_variables(environment: Mapping[str, str]) -> None:
    known = {*_variables(), *NOT_SETTINGS}
    for name in environment:
        if name.startswith(ENVIRONMENT_PREFIX) and name not in known:
            raise SettingsError(f"{name}: no such setting{nearest(name, known)}")
