"""`exchange.toml` without its secrets, for processes that are told those that they need by variables."""

from __future__ import annotations

import dataclasses
import datetime
import json
import tomllib
from pathlib import Path
from typing import Any

from settings.sections import Settings
from settings.values import types_of


def public_text(path: Path) -> str:
    """The settings of this file, which was read without an error before, but for whatever no message repeats."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    classes = types_of(Settings)
    lines: list[str] = []
    for section, keys in document.items():
        known: Any = classes.get(section)
        fields = dataclasses.fields(known) if dataclasses.is_dataclass(known) else ()
        secrets = {field.name for field in fields if field.metadata.get("secret")}
        lines += _table((section,), {key: value for key, value in keys.items() if key not in secrets})
    return "".join(f"{line}\n" for line in lines)


def _table(name: tuple[str, ...], keys: dict[str, Any]) -> list[str]:
    """A table and those within it, plain values first."""
    lines = [f"[{'.'.join(_quoted(word) for word in name)}]"]
    lines += [f"{_quoted(key)} = {_value(value)}" for key, value in keys.items() if not isinstance(value, dict)]
    for key, value in keys.items():
        if isinstance(value, dict):
            lines += _table((*name, key), value)
    return lines


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value)


def _quoted(text: str) -> str:
    """A basic string: JSON's escapes are among TOML's, which also wants one for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
