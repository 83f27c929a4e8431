"""Modules that a start needs later, imported while it waits for its servers."""

from __future__ import annotations

import importlib
import threading

from imports import without_collection

LATER = ("psycopg", "redis", "cli.local.database", "cli.local.prepare")
"""In the order in which they are needed. They take longer to import than the servers take to start."""


def import_ahead() -> None:
    """Begin to import them, beside whatever comes next; who needs one imports it as usual, and waits for it there."""
    threading.Thread(target=_import, name="imports", daemon=True).start()


def _import() -> None:
    with without_collection():
        for module in LATER:
            importlib.import_module(module)
