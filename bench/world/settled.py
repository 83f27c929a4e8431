"""What became of a load, told by the database: how many orders it brought, and how long each took to be settled."""

from __future__ import annotations

from dataclasses import dataclass

from bench.world.world import World

SHARES = (0.5, 0.9, 0.99, 1.0)
"""The percentiles that are looked at; the last is the worst order."""

ORDERS = "SELECT count(*) FROM commands WHERE id > :after AND kind = 'new'"

WAITED = """
    SELECT percentile_cont(CAST(:shares AS float8[])) WITHIN GROUP (
        ORDER BY extract(epoch FROM pg_xact_commit_timestamp(xmin) - created_at) * 1000)
    FROM commands WHERE id > :after AND kind = 'new' AND sequence IS NOT NULL
"""
"""Milliseconds from when an order's row was written, before its acknowledgement, to the commit that settled it: the
row's last version is that of the turn which took it."""


@dataclass(frozen=True, slots=True)
class Settled:
    """The orders of one load; times from acceptance to settlement in milliseconds."""

    orders: int
    p50: float
    p90: float
    p99: float
    longest: float


def settled_since(world: World, after: int) -> Settled:
    """The orders whose command has an id above `after`; not a number where none was settled."""
    orders = int(world.scalar(ORDERS, after=after))
    waited = world.scalar(WAITED, after=after, shares=list(SHARES)) or [float("nan")] * len(SHARES)
    return Settled(orders, *(float(seconds) for seconds in waited))
