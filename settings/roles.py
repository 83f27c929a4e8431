"""Which secrets each process gets to know."""

from __future__ import annotations

import dataclasses
from typing import Final

from settings.sections import Settings

READERS: Final = frozenset({"live"})
"""The processes that only read."""

SIMULATOR: Final = "simulator"
"""It comes over the same doors as strangers do, and knows no server."""

KEY_HOLDERS: Final = frozenset({"web", "live"})
"""Those that are asked with the administrator's key, and with people's tokens."""


def for_process(settings: Settings, name: str) -> Settings:
    """The settings with what the process needs of urls and of keys: who breaks into it finds no more."""
    database = settings.database
    url = database.reader if name in READERS else database.url
    own = dataclasses.replace(
        database, url=url, password="", owner_url="", owner_password="", reader_url="", reader_password=""
    )
    exchange, identity, simulator = settings.exchange, settings.identity, settings.simulator
    if name not in KEY_HOLDERS:
        exchange = dataclasses.replace(exchange, admin_key="")
        identity = dataclasses.replace(identity, token_secret="", previous_token_secret="")
    redis = settings.redis
    if name == SIMULATOR:
        own, redis = dataclasses.replace(own, url=""), dataclasses.replace(redis, url="", password="")
    else:
        simulator = dataclasses.replace(simulator, makers_key="", people_key="")
    return dataclasses.replace(
        settings, database=own, redis=redis, exchange=exchange, identity=identity, simulator=simulator
    )
