"""Which of the three roles of the database each process gets to know."""

from __future__ import annotations

import dataclasses
from typing import Final

from settings.sections import Settings

READERS: Final = frozenset({"live"})
"""The processes that only read."""


def for_process(settings: Settings, name: str) -> Settings:
    """The settings with the one url of the database that the process needs: who breaks into it finds no other."""
    database = settings.database
    url = database.reader if name in READERS else database.url
    own = dataclasses.replace(
        database, url=url, password="", owner_url="", owner_password="", reader_url="", reader_password=""
    )
    return dataclasses.replace(settings, database=own)
