"""The latest snapshot of each book, as the worker left it."""

import logging
from collections.abc import Sequence
from typing import Any

import orjson
from redis import Redis, RedisError

from queues import names
from queues.direct import direct, packed

log = logging.getLogger(__name__)


class BookCache:
    """Snapshots by symbol. Each says which version of the book it is; only the database knows which is current."""

    def __init__(self, redis: Redis) -> None:
        self._direct = direct(redis)

    def get(self, symbol: str) -> dict[str, Any] | None:
        """{symbol, version, sequence, bids, asks} with up to 50 levels a side, or None: no snapshot, or no Redis.

        None, too, for what is no snapshot of this stock: whoever else writes to Redis shall break nothing.
        """
        return self.get_all([symbol]).get(symbol)

    def get_all(self, symbols: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The snapshots that there are of these books, as by `get`."""
        if not symbols:
            return {}
        try:
            (found,) = self._direct.ask(packed("MGET", *[names.book(symbol) for symbol in symbols]))
        except RedisError as error:
            log.warning("Redis is away, the books are read from PostgreSQL: %s", error)
            return {}
        snapshots = {}
        for symbol, cached in zip(symbols, found, strict=True):
            snapshot = None if cached is None else _read(cached, symbol)
            if snapshot is not None:
                snapshots[symbol] = snapshot
        return snapshots


def _read(cached: bytes, symbol: str) -> dict[str, Any] | None:
    try:
        return _snapshot(orjson.loads(cached), symbol)
    except ValueError as error:
        log.warning("what Redis has of the book of %s is none, it is read from PostgreSQL: %s", symbol, error)
        return None


def _snapshot(found: Any, symbol: str) -> dict[str, Any]:
    """`found`, if it has the shape of a snapshot of `symbol`. Raises ValueError."""
    shape = {"version": int, "sequence": int, "bids": list, "asks": list}
    if (
        not isinstance(found, dict)
        or found.get("symbol") != symbol
        or any(type(found.get(name)) is not kind for name, kind in shape.items())
    ):
        raise ValueError("its shape is another")
    return found
