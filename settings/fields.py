"""How a key of a section says its default, and what else its value may be: `settings.values` looks."""

from __future__ import annotations

from dataclasses import field
from typing import Any


def number(default: int, minimum: int, maximum: int) -> Any:
    """A whole number within bounds, both included."""
    return field(default=default, metadata={"minimum": minimum, "maximum": maximum})


def time(default: str) -> Any:
    """A time of the day, such as 09:30."""
    return field(default=default, metadata={"kind": "time"})


def secret(kind: str | None = None) -> Any:
    """What no message repeats."""
    return field(default="", metadata={"kind": kind, "secret": True})


def choice(default: str, *choices: str) -> Any:
    """One word out of a few."""
    return field(default=default, metadata={"choices": choices})
