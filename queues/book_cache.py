"""The latest snapshot of each book, as the worker left it."""

import logging
from typing import Any

import orjson
from redis import Redis, RedisError

from queues import names

log = logging.getLogger(__name__)


class BookCache:
    """Snapshots by symbol. Each says which version of the book it is; only the database knows which is current."""

    def __init__(self, redis: Redis) -> None:
        self.redis = redis

    def get(self, symbol: str) -> dict[str, Any] | None:
        """{symbol, version, sequence, bids, asks} with up to 50 levels a side, or None: no snapshot, or no Redis."""
        try:
            cached = self.redis.get(names.book(symbol))
        except RedisError as error:
            log.warning("Redis is away, the book of %s is read from PostgreSQL: %s", symbol, error)
            return None
        return None if cached is None else orjson.loads(cached)
