"""What a load leaves on the disk: PostgreSQL's log, and the rows and indexes of the exchange."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from bench.world.world import World

TRADING_DAYS: Final = 252
TRADES_A_DAY: Final = 4_000_000
"""A year of a large exchange."""

SIZES: Final = """
    SELECT CAST(sum(pg_total_relation_size(oid)) AS bigint) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = CAST('public' AS regnamespace)
"""
LOG: Final = "SELECT CAST(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') AS bigint)"
TRADES: Final = "SELECT count(*) FROM trades"


@dataclass(slots=True)
class Stored:
    """Bytes of log and of tables with their indexes, and the trades that came with them."""

    log: int = 0
    tables: int = 0
    trades: int = 0

    def year(self) -> float:
        """Bytes of tables after a year of TRADES_A_DAY, with as many orders for each trade as in this load."""
        return self.tables / self.trades * TRADES_A_DAY * TRADING_DAYS if self.trades else float("nan")


@contextmanager
def stored(world: World) -> Iterator[Stored]:
    """Filled when the block is over."""
    found = Stored()
    before = _now(world)
    yield found
    found.log, found.tables, found.trades = (now - then for now, then in zip(_now(world), before, strict=True))


def _now(world: World) -> tuple[int, ...]:
    return tuple(int(world.scalar(sql)) for sql in (LOG, SIZES, TRADES))
