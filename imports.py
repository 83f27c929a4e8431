"""How a process gets its modules quickly."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collection() -> Iterator[None]:
    """No garbage is looked for in the block, which imports: what modules make stays, and the looks take a fifth."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def without(name: str) -> Iterator[None]:
    """In the block the module `name` cannot be imported: what would take it if it were there does without."""
    was_there = name in sys.modules
    found = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment] # which is how Python itself is told so
    try:
        yield
    finally:
        del sys.modules[name]
        if was_there:
            sys.modules[name] = found  # type: ignore[assignment]
