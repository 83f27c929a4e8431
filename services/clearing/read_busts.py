"""Busts as those who decide see them, and what the guarantee account has advanced."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from models import CASH
from models.accounts.broker import GUARANTEE
from services.clearing.errors import UnknownBust
from services.prices import whole_number
from services.timestamps import timestamp

COLUMNS: Final = """
    SELECT b.*, s.symbol, t.price, t.quantity, t.executed_at, t.buyer_id, t.seller_id,
        b.asked_at + :seconds * interval '1 second' AS expires_at,
        CASE WHEN b.status = 'needs_confirmation' AND clock_timestamp() > b.asked_at + :seconds * interval '1 second'
            THEN 'expired' ELSE b.status END AS shown_status
    FROM busts b JOIN trades t ON t.id = b.trade_id JOIN stocks s ON s.id = b.stock_id
"""

PAGE: Final = text(f"""
    SELECT * FROM ({COLUMNS} WHERE b.id < :before AND (CAST(:symbol AS text) IS NULL OR s.symbol = :symbol)) AS b
    WHERE CAST(:status AS text) IS NULL OR shown_status = :status
    ORDER BY id DESC LIMIT :limit
""")  # noqa: S608 - a constant
SOME: Final = text(f"{COLUMNS} WHERE b.id = ANY(:ids) ORDER BY b.id")
SYMBOLS: Final = text("SELECT id, symbol FROM stocks WHERE id = ANY(:ids)")

RECEIVABLES: Final = text("""
    SELECT b.broker_id, k.name, b.asset_id, s.symbol, b.owed,
        CASE b.asset_id WHEN 1 THEN b.owed
            ELSE CAST(b.owed AS numeric) * coalesce(s.reference_price, s.last_price, 0) END AS worth
    FROM balances b JOIN brokers k ON k.id = b.broker_id LEFT JOIN stocks s ON s.id = b.asset_id
    WHERE b.owed > 0 ORDER BY b.broker_id, b.asset_id
""")
LENT: Final = text("""
    SELECT s.symbol, -b.available AS quantity FROM balances b JOIN stocks s ON s.id = b.asset_id
    WHERE b.broker_id = (SELECT id FROM brokers WHERE id < 0 AND name = :guarantee) AND b.available < 0
    ORDER BY s.symbol
""")


def read_busts(
    session: Statements, seconds: int, before: int, limit: int, status: str | None = None, symbol: str | None = None
) -> Iterator[dict[str, Any]]:
    """At most `limit` busts with lower ids, newest first. Confirmations may come within so many `seconds`."""
    values = {"seconds": seconds, "before": before, "limit": limit, "status": status, "symbol": symbol}
    return _documents(session, session.execute(PAGE, values).all())


def read_some_busts(session: Statements, seconds: int, ids: Collection[int]) -> list[dict[str, Any]]:
    """These busts, oldest first."""
    return list(_documents(session, session.execute(SOME, {"seconds": seconds, "ids": list(ids)}).all()))


def read_bust(session: Statements, seconds: int, bust_id: int) -> dict[str, Any]:
    """One bust. Raises UnknownBust."""
    found = read_some_busts(session, seconds, [bust_id])
    if not found:
        raise UnknownBust(f"There is no bust {bust_id}.")
    return found[0]


def read_guarantee(session: Statements, limit: int) -> dict[str, Any]:
    """What the guarantee account has advanced, in cents: lent shares at their reference price, up to `limit`."""
    rows = list(session.execute(RECEIVABLES))
    return {
        "advanced": whole_number(sum(int(row.worth) for row in rows)),
        "limit": limit,
        "receivables": [
            {
                "broker_id": row.broker_id,
                "broker_name": row.name,
                "asset": "cash" if row.asset_id == CASH else row.symbol,
                "amount": row.owed,
                "worth": whole_number(row.worth),
            }
            for row in rows
        ],
        "shares_lent": {row.symbol: row.quantity for row in session.execute(LENT, {"guarantee": GUARANTEE})},
    }


def _documents(session: Statements, rows: Collection[Any]) -> Iterator[dict[str, Any]]:
    assets = {lack["asset_id"] for row in rows for lack in row.shortfalls}
    symbols = {row.id: row.symbol for row in session.execute(SYMBOLS, {"ids": list(assets)})} if assets else {}
    return (_document(row, {CASH: "cash", **symbols}) for row in rows)


def _document(row: Any, assets: Mapping[int, str]) -> dict[str, Any]:
    """A bust as the API shows it: prices in cents."""
    return {
        "bust_id": row.id,
        "trade_id": row.trade_id,
        "symbol": row.symbol,
        "quantity": row.quantity,
        "executed_at": timestamp(row.executed_at),
        "buyer_id": row.buyer_id,
        "seller_id": row.seller_id,
        "status": row.shown_status,
        "refusal": row.refusal,
        "rule": row.rule,
        "reason": row.reason,
        "old_price": row.price,
        "new_price": row.new_price,
        "notional": row.notional,
        "range_id": row.range_id,
        "asked_by": row.asked_by_name,
        "asked_at": timestamp(row.asked_at),
        "expires_at": timestamp(row.expires_at) if row.shown_status == "needs_confirmation" else None,
        "confirmed_by": row.confirmed_by_name,
        "confirmed_at": timestamp(row.confirmed_at),
        "rejected_by": row.rejected_by_name,
        "rejection": row.rejection,
        "done_at": timestamp(row.done_at),
        "shortfalls": [
            {"asset": assets.get(lack["asset_id"], ""), **{key: lack[key] for key in lack if key != "asset_id"}}
            for lack in row.shortfalls
        ],
    }
