"""What a key of `exchange.toml` may be: its default, and what is checked of it."""

from __future__ import annotations

from dataclasses import field
from typing import Any


def number(default: int, minimum: int, maximum: int) -> Any:
    """A whole number within these bounds."""
    return field(default=default, metadata={"minimum": minimum, "maximum": maximum})


def time(default: str) -> Any:
    """A time of day."""
    return field(default=default, metadata={"kind": "time"})


def secret(kind: str | None = None) -> Any:
    """What no message repeats."""
    return field(default="", metadata={"kind": kind, "secret": True})


def choice(default: str, *choices: str) -> Any:
    """One of these words."""
    return field(default=default, metadata={"choices": choices})
