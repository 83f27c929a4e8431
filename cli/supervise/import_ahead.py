"""Modules that a start needs later, imported while it waits for its servers."""

from __future__ import annotations

import importlib
import threading

from imports import without_collection

LATER = ("psycopg", "redis", "cli.local.database", "cli.local.prepare")
"""In the order in which they are needed. They take longer to import than the servers take to start."""


def import_ahead() -> threading.Thread:
    """Begin to import them, beside whatever comes next, in the thread that this gives.

    Who needs one but psycopg and redis waits for its end: modules that import each other in a circle, as SQLAlchemy's
    do, may be found half made where two threads come to them from different sides.
    """
    thread = threading.Thread(target=_import, name="imports", daemon=True)
    thread.start()
    return thread


def _import() -> None:
    with without_collection():
        for module in LATER:
            importlib.import_module(module)
