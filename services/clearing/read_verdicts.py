"""Trades with what the rules say of them, and letting one stand that breaks a rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from services.accounts.errors import UnknownTrade
from services.clearing.errors import AlreadyBusted, NotFlagged
from services.clearing.rules.price import deviation_of
from services.prices import STANDING_PRICE
from services.timestamps import timestamp

OK, FLAGGED, BUSTED = "ok", "flagged", "busted"
VERDICTS: Final = (OK, FLAGGED, BUSTED)

TRADES: Final = f"""
    SELECT t.id, s.symbol, t.sequence, {STANDING_PRICE} AS price, t.price AS executed_price, t.adjusted_price,
        t.quantity, t.aggressor_side, t.executed_at, t.busted_at, t.reference_price, t.buyer_id, t.seller_id,
        t.buy_order_id, t.sell_order_id, v.rule, v.broken, v.stands_at, v.stands_by_name, v.stands_reason,
        coalesce(j.sequence, 0) >= t.sequence AS is_judged,
        t.executed_at + :seconds * interval '1 second' AS window_ends_at
    FROM {{source}} JOIN stocks s ON s.id = t.stock_id
    LEFT JOIN judged_stocks j ON j.stock_id = t.stock_id
    {{verdict}}
    WHERE t.id < :before AND (CAST(:symbol AS text) IS NULL OR s.symbol = :symbol) AND {{which}}
    ORDER BY t.id DESC LIMIT :limit
"""  # noqa: S608 - a constant
PLAIN: Final = "LEFT JOIN verdicts v ON v.trade_id = t.id"
PAGES: Final = {
    None: text(TRADES.format(source="trades t", verdict=PLAIN, which="true")),
    OK: text(
        TRADES.format(
            source="trades t",
            verdict=PLAIN,
            which="t.busted_at IS NULL AND (v.trade_id IS NULL OR v.stands_at IS NOT NULL)",
        )
    ),
    FLAGGED: text(
        TRADES.format(
            source="verdicts v JOIN trades t ON t.id = v.trade_id",
            verdict="",
            which="v.trade_id < :before AND v.stands_at IS NULL AND t.busted_at IS NULL",
        )
    ),
    BUSTED: text(
        TRADES.format(
            source="busts b JOIN trades t ON t.id = b.trade_id AND b.status = 'done' AND b.new_price IS NULL",
            verdict=PLAIN,
            which="true",
        )
    ),
}
"""By the verdict that is asked for."""

STAND: Final = text("""
    UPDATE verdicts SET stands_at = clock_timestamp(), stands_by_name = :name, stands_reason = :reason
    WHERE trade_id = :trade_id AND stands_at IS NULL
        AND NOT EXISTS (SELECT FROM trades t WHERE t.id = :trade_id AND t.busted_at IS NOT NULL)
    RETURNING trade_id
""")
TRADE: Final = text("SELECT busted_at FROM trades WHERE id = :trade_id")


def read_judged_trades(
    session: Statements, seconds: int, before: int, limit: int, verdict: str | None = None, symbol: str | None = None
) -> Iterator[dict[str, Any]]:
    """At most `limit` trades with lower ids, newest first; the window of a bust has so many `seconds`."""
    values = {"seconds": seconds, "before": before, "limit": limit, "symbol": symbol}
    return map(_document, session.execute(PAGES[verdict], values))


def read_judged_trade(session: Statements, seconds: int, trade_id: int) -> dict[str, Any]:
    """One trade. Raises UnknownTrade."""
    for found in read_judged_trades(session, seconds, trade_id + 1, 1):
        if found["trade_id"] == trade_id:
            return found
    raise UnknownTrade(f"There is no trade {trade_id}.")


def let_stand(session: Statements, trade_id: int, name: str, reason: str) -> None:
    """Let a flagged trade stand. Raises UnknownTrade, AlreadyBusted, NotFlagged."""
    values = {"trade_id": trade_id, "name": name, "reason": reason}
    if session.execute(STAND, values).one_or_none() is None:
        trade = session.execute(TRADE, {"trade_id": trade_id}).one_or_none()
        if trade is None:
            raise UnknownTrade(f"There is no trade {trade_id}.")
        raise AlreadyBusted if trade.busted_at is not None else NotFlagged


def _document(row: Any) -> dict[str, Any]:
    """A trade as those see it who decide: prices in cents, both parties named."""
    flagged = row.rule is not None and row.stands_at is None
    reference = row.reference_price
    return {
        "trade_id": row.id,
        "symbol": row.symbol,
        "sequence": row.sequence,
        "price": row.price,
        "adjusted_from": row.executed_price if row.adjusted_price is not None else None,
        "quantity": row.quantity,
        "notional": row.executed_price * row.quantity,
        "aggressor_side": row.aggressor_side,
        "executed_at": timestamp(row.executed_at),
        "buyer_id": row.buyer_id,
        "seller_id": row.seller_id,
        "buy_order_id": row.buy_order_id,
        "sell_order_id": row.sell_order_id,
        "reference": reference,
        "deviation_bps": deviation_of(row.executed_price, reference) if reference else None,
        "verdict": BUSTED if row.busted_at is not None else FLAGGED if flagged else OK,
        "is_judged": row.is_judged,
        "rule": row.rule,
        "broken": row.broken or [],
        "window_ends_at": timestamp(row.window_ends_at),
        "stands_by": row.stands_by_name,
        "stands_reason": row.stands_reason,
    }
