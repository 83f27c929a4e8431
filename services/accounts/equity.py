"""What brokers are worth: now, and hour by hour.

Equity is cash, and shares at the last or the reference price, less what is owed of both to the guarantee account.
Shares that have no price are worth what they cost. What comes in and goes out is no profit: equity = net deposits +
realised + unrealised - fees.

Fees are what trades brought less than their prices say: what shares cost and closing them earned, without what they had
cost that came from outside, is what was paid for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from services.prices import whole_number
from services.timestamps import timestamp

MOST_POINTS: Final = 1_000
"""The newest of a history; an hour each are six weeks."""

DAY_HOUR: Final = "CAST(date_trunc('day', taken_at AT TIME ZONE 'UTC') AS timestamp) = taken_at AT TIME ZONE 'UTC'"
INTERVALS: Final = {"1h": "true", "1d": DAY_HOUR}
"""Which of the points of each hour are shown: days begin with UTC."""

WORTH: Final = """
    SELECT k.id AS broker_id, h.cash + h.worth AS equity, h.cash, h.realised AS realised_pnl,
        h.worth - h.cost AS unrealised_pnl, coalesce(x.costs, 0) - h.cost + h.realised - h.traded AS fees,
        coalesce(x.brought, 0) AS net_deposits
    FROM brokers k
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(b.available + b.reserved - b.owed) FILTER (WHERE b.asset_id = 1), 0) AS cash,
            coalesce(sum(coalesce(
                CAST(b.available + b.reserved - b.owed AS numeric)
                    * coalesce(s.last_price, s.reference_price), b.cost
            )) FILTER (WHERE b.asset_id <> 1), 0) AS worth,
            coalesce(sum(b.traded) FILTER (WHERE b.asset_id = 1), 0) AS traded,
            coalesce(sum(b.cost), 0) AS cost, coalesce(sum(b.realised_pnl), 0) AS realised
        FROM balances b LEFT JOIN stocks s ON s.id = b.asset_id WHERE b.broker_id = k.id
    ) h
    LEFT JOIN LATERAL (
        SELECT sum(x.cost + CASE WHEN x.asset_id <> 1 THEN 0 WHEN t.kind = 'deposit' THEN t.amount ELSE -t.amount END)
            AS brought, sum(x.cost) AS costs
        FROM external_transfers x JOIN transfers t ON t.id = x.transfer_id WHERE x.broker_id = k.id
    ) x ON true
"""
NOW_WORTH = text(f"{WORTH} WHERE k.id = :broker_id")

TAKE = text(f"""
    INSERT INTO equity_points (
        broker_id, taken_at, equity, cash, realised_pnl, unrealised_pnl, fees, net_deposits
    )
    SELECT broker_id, date_trunc('hour', CAST(:now AS timestamptz)), equity, cash, realised_pnl, unrealised_pnl, fees,
        net_deposits
    FROM ({WORTH}) worth
    WHERE broker_id > 0
        AND NOT EXISTS (SELECT FROM equity_points WHERE taken_at >= date_trunc('hour', CAST(:now AS timestamptz)))
    ON CONFLICT DO NOTHING
""")  # noqa: S608 - constants of this file

POINTS: Final = """
    SELECT * FROM equity_points
    WHERE broker_id = :broker_id AND taken_at >= :since AND taken_at < :until AND {which}
    ORDER BY taken_at DESC LIMIT :limit
"""
HISTORY: Final = {interval: text(POINTS.format(which=which)) for interval, which in INTERVALS.items()}
FIRST, LAST = "-infinity", "infinity"


def take_equity(session: Statements, now: datetime) -> None:
    """Write down what each broker is worth, unless that was done in this hour."""
    session.execute(TAKE, {"now": now})


def read_equity(
    session: Statements,
    broker_id: int,
    interval: str,
    now: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
) -> Iterator[dict[str, Any]]:
    """The newest points of a broker, oldest first, with one of now at the end where the time asked for has come so far.

    `interval`: 1h or 1d; `since` is included, `until` is not.
    """
    limits = {"since": since or FIRST, "until": until or LAST, "limit": MOST_POINTS}
    rows = list(session.execute(HISTORY[interval], {"broker_id": broker_id, **limits}))
    for row in reversed(rows):
        yield _document(row, row.taken_at)
    if until is None or until > now:
        yield _document(session.execute(NOW_WORTH, {"broker_id": broker_id}).one(), now)


def _document(row: Any, taken_at: datetime) -> dict[str, Any]:
    amounts = ("equity", "cash", "realised_pnl", "unrealised_pnl", "fees", "net_deposits")
    return {"time": timestamp(taken_at), **{name: whole_number(int(getattr(row, name))) for name in amounts}}
