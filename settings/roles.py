"""Which secrets each process gets to know."""

from __future__ import annotations

import dataclasses
from typing import Final

from settings.sections import Settings

READERS: Final = frozenset({"live"})
"""The processes that only read."""

KEY_HOLDERS: Final = frozenset({"web", "live"})
"""Those that are asked with the administrator's key, and with people's tokens."""


def for_process(settings: Settings, name: str) -> Settings:
    """The settings with what the process needs of urls and of keys: who breaks into it finds no more."""
    database = settings.database
    url = database.reader if name in READERS else database.url
    own = dataclasses.replace(
        database, url=url, password="", owner_url="", owner_password="", reader_url="", reader_password=""
    )
    exchange, identity = settings.exchange, settings.identity
    if name not in KEY_HOLDERS:
        exchange = dataclasses.replace(exchange, admin_key="")
        identity = dataclasses.replace(identity, token_secret="", previous_token_secret="")
    return dataclasses.replace(settings, database=own, exchange=exchange, identity=identity)
