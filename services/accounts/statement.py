"""The statement of an account: each line that changed what it holds, with the balance after it.

What is held is available and reserved together, so reserving is no line. Lines are the fills of one's own orders and
their fees, at their numbers among the broker's own events, and what came in and went out between them. They are never
changed, and stand in the order in which they changed the balance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from models import CASH
from services.accounts.external_transfers import CASH_NAME
from services.stocks.listing import unknown_stock
from services.timestamps import timestamp

KINDS: Final = ("deposit", "withdrawal", "trade", "fee")

FIRST, LAST = "-infinity", "infinity"

FILLS: Final = """
    SELECT e.sequence AS place, line.external, t.id AS trade_id, e.order_id, t.executed_at AS at,
        line.kind, CAST(NULL AS text) AS reference, line.amount
    FROM account_events e JOIN trades t ON t.id = e.trade_id
    CROSS JOIN LATERAL (VALUES
        (CAST(0 AS bigint), 'trade', CASE WHEN (t.buy_order_id = e.order_id) = (:asset_id = 1) THEN -1 ELSE 1 END
            * CASE WHEN :asset_id = 1 THEN t.price * t.quantity ELSE t.quantity END),
        (CAST(1 AS bigint), 'fee', CASE WHEN :asset_id = 1 THEN -e.fee END)
    ) AS line (external, kind, amount)
    WHERE e.broker_id = :broker_id AND e.trade_id IS NOT NULL AND e.sequence >= :place AND e.sequence <= :top
        AND (e.sequence, line.external) > (:place, :external) AND line.amount IS NOT NULL
        AND (:asset_id = 1 OR t.stock_id = :asset_id) AND t.executed_at >= :since AND t.executed_at < :until
"""
"""A fill, and right behind it what it cost. No transfer that comes from outside behind a fill has the id 1: what was
reserved for that fill is older."""

EXTERNAL: Final = """
    SELECT x.account_sequence, x.transfer_id, NULL, NULL, m.created_at, m.kind, x.reference,
        CASE m.kind WHEN 'deposit' THEN m.amount ELSE -m.amount END
    FROM external_transfers x JOIN transfers m ON m.id = x.transfer_id
    WHERE x.broker_id = :broker_id AND x.asset_id = :asset_id AND x.transfer_id <= :top_external
        AND (x.account_sequence, x.transfer_id) > (:place, :external)
        AND m.created_at >= :since AND m.created_at < :until
"""
"""Everything behind a place, up to what was there when the statement was begun."""

LINES: Final = """
    WITH lines AS (({fills}) UNION ALL ({external})), summed AS (
        SELECT *, sum(amount) OVER (ORDER BY place, external) AS so_far FROM lines
    )
    SELECT *, CASE kind WHEN 'trade' THEN (
        SELECT m.id FROM transfers m WHERE m.trade_id = summed.trade_id AND m.kind = 'trade' AND m.asset_id = :asset_id
    ) WHEN 'fee' THEN (
        SELECT m.id FROM transfers m, (
            SELECT min(id) AS first, max(id) AS last FROM transfers
            WHERE trade_id = summed.trade_id AND kind = 'trade'
        ) AS of_trade
        WHERE m.id BETWEEN of_trade.first AND of_trade.last
            AND m.trade_id = summed.trade_id AND m.kind = 'fee' AND m.order_id = summed.order_id
    ) ELSE external END AS transfer_id
    FROM summed WHERE CAST(:kind AS text) IS NULL OR kind = :kind ORDER BY place, external LIMIT :limit
"""
"""A fee's transfer lies between the two of its trade, so that fees need no index of their own."""

ALL_LINES = text(LINES.format(fills=FILLS, external=EXTERNAL))
FIRST_LINES = text(
    LINES.format(
        fills=f"{FILLS} ORDER BY e.sequence, line.external LIMIT :limit",
        external=f"{EXTERNAL} ORDER BY x.account_sequence, x.transfer_id LIMIT :limit",
    )
)
"""As many of each as there may be of both: where no kind is left out, no more have to be looked at."""

BEGIN = text("""
    SELECT coalesce(b.available + b.reserved, 0) AS balance, coalesce(c.sequence, 0) AS top,
        coalesce((SELECT max(transfer_id) FROM external_transfers WHERE broker_id = k.id), 0) AS top_external,
        coalesce((
            SELECT sequence FROM account_events e
            WHERE e.broker_id = k.id AND trade_id IS NOT NULL
                AND happened_at < CAST(:since AS timestamptz) - interval '1 minute'
            ORDER BY sequence DESC LIMIT 1
        ), 0) AS place
    FROM brokers k LEFT JOIN account_counters c ON c.broker_id = k.id
    LEFT JOIN balances b ON b.broker_id = k.id AND b.asset_id = :asset_id
    WHERE k.id = :broker_id
""")
"""Where it stands now, and a place before the first line of the time that is asked for: events of different stocks may
have times that are a moment apart."""

SUMS = text(f"""
    SELECT coalesce(sum(amount), 0) AS since, coalesce(sum(amount) FILTER (WHERE at < :until), 0) AS within
    FROM (({FILLS.replace(":until", "'infinity'")}) UNION ALL ({EXTERNAL.replace(":until", "'infinity'")})) lines
""")  # noqa: S608 - constants of this file

ASSET = text("SELECT id FROM assets WHERE code = :code AND kind = 'stock'")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which account, and which of its lines: `kind` None for all; `since` is included, `until` is not."""

    broker_id: int
    asset: str = CASH_NAME
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """How far a statement was read: the last line, the balance after it, and what the whole statement begins with."""

    place: int
    external: int
    top: int
    top_external: int
    balance: int
    opening: int
    closing: int


def begin_statement(session: Statements, wanted: Wanted) -> Position:
    """Before the first line. `session` sees one moment: all of this is of that. Raises UnknownStock."""
    values = _values(session, wanted)
    begun = session.execute(BEGIN, values).one()
    bounds = {**values, "place": begun.place, "external": 0, "top": begun.top, "top_external": begun.top_external}
    sums = session.execute(SUMS, bounds).one() if wanted.since or wanted.until else None
    opening = begun.balance - int(sums.since) if sums and wanted.since else 0
    closing = opening + int(sums.within) if sums else begun.balance
    return Position(begun.place, 0, begun.top, begun.top_external, opening, opening, closing)


def read_statement(session: Statements, wanted: Wanted, behind: Position, limit: int) -> Iterator[dict[str, Any]]:
    """At most `limit` lines behind a position, oldest first, each with its own position as `position`."""
    values = {
        **_values(session, wanted),
        "place": behind.place,
        "external": behind.external,
        "top": behind.top,
        "top_external": behind.top_external,
        "kind": wanted.kind,
        "limit": limit,
    }
    for row in session.execute(ALL_LINES if wanted.kind else FIRST_LINES, values):
        balance = behind.balance + int(row.so_far)
        position = replace(behind, place=row.place, external=row.external, balance=balance)
        yield {
            "position": position,
            "transfer_id": row.transfer_id,
            "time": timestamp(row.at),
            "asset": wanted.asset,
            "kind": row.kind,
            "amount": int(row.amount),
            "balance_after": balance,
            "order_id": row.order_id,
            "trade_id": row.trade_id,
            "reference": row.reference,
        }


def _values(session: Statements, wanted: Wanted) -> dict[str, Any]:
    asset_id = CASH
    if wanted.asset != CASH_NAME:
        found = session.scalar(ASSET, {"code": wanted.asset})
        if found is None:
            raise unknown_stock(wanted.asset, "asset")
        asset_id = int(found)
    times = {"since": wanted.since or FIRST, "until": wanted.until or LAST}
    return {"broker_id": wanted.broker_id, "asset_id": asset_id, **times}
