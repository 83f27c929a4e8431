"""How the library `throttled` connects to Redis: as everything else does, so that nobody waits for it for long."""

from typing import Any

from redis import Redis
from throttled.store import ConnectionFactory

from queues.connection import connect


class OurConnections(ConnectionFactory):
    """Named in the options of a store, beside the settings of the server."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._settings = options["SETTINGS"]

    def connect(self, url: str | None = None) -> Redis:  # type: ignore[override]
        """A client with our pool, timeouts and breaker."""
        return connect(self._settings)
