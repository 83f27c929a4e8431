"""The exchange, as a program sees it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from .accounts import Accounts
from .administration import Administration
from .clearing import Clearing
from .market import Market
from .orders import Orders
from .people import People
from .stream import EventStream
from .transport import Transport


class Exchange(Orders, Market, Accounts, People, Administration, Clearing):
    """Everything that can be asked of the exchange at `url`, by whoever has this key.

    `key` is an API key, an access token or the administrator's key; without one there is public data. `document` is the
    customer for whom orders are placed. Calls wait `timeout` seconds for an answer and are sent again for `patience`
    seconds, where that can do nothing twice. Several threads may share it.

        exchange = Exchange("http://127.0.0.1:8000", key="mx_…", document="52998224725")
        order = exchange.buy("PETR4", 100, 3590, wait=5)
    """

    def __init__(self, url: str, key: str | None = None, *, document: str | None = None, **options: Any) -> None:
        self.transport = Transport(url, key, **options)
        self.document = document

    @cached_property
    def live_url(self) -> str:
        """Where the streams are."""
        return str(self.config()["live_url"])

    def stream(self, channels: Sequence[str], last_id: str = "") -> EventStream:
        """One connection to the stream of these channels, behind the position `last_id`."""
        return EventStream(self.live_url, self.transport.key, channels, last_id)

    def close(self) -> None:
        """Give this thread's connections up."""
        self.transport.close()
