"""What a broker has: cash and holdings."""

from typing import Any

from sqlalchemy import text

from database.statements import Statements
from models import CASH
from services.prices import average_price, whole_number

CASH_BALANCE = text("""
    SELECT k.name, k.status, coalesce(b.traded, 0) AS traded, coalesce(b.available, 0) AS available,
        coalesce(b.reserved, 0) AS reserved, coalesce(b.credit_limit, 0) AS credit_limit, coalesce(b.owed, 0) AS owed,
        (
            SELECT CAST(
                sum(CAST(p.available + p.reserved - p.owed AS numeric) * coalesce(s.last_price, s.reference_price))
                AS text
            )
            FROM balances p JOIN stocks s ON s.id = p.asset_id WHERE p.broker_id = k.id AND p.asset_id <> :cash
        ) AS worth
    FROM brokers k LEFT JOIN balances b ON b.broker_id = k.id AND b.asset_id = :cash
    WHERE k.id = :broker_id
""")

POSITIONS = text("""
    SELECT b.asset_id, s.symbol, b.available, b.reserved, b.owed, b.traded, b.cost, b.realised_pnl,
        coalesce(s.last_price, s.reference_price) AS price
    FROM balances b LEFT JOIN stocks s ON s.id = b.asset_id
    WHERE b.broker_id = :broker_id
    ORDER BY s.symbol NULLS FIRST
""")


def read_balance(session: Statements, broker_id: int) -> dict[str, Any]:
    """A broker's cash in cents; `balance` is the net of its trades, `equity` what cash and shares are worth together.

    `buying_power` is what new orders may reserve, `owed` what it owes to the guarantee account, which is no part of its
    equity; nor is the worth of shares that it owes.
    """
    row = session.execute(CASH_BALANCE, {"broker_id": broker_id, "cash": CASH}).one()
    return {
        "broker_id": broker_id,
        "broker_name": row.name,
        "balance": row.traded,
        "available": row.available,
        "reserved": row.reserved,
        "credit_limit": row.credit_limit,
        "equity": whole_number(row.available + row.reserved - row.owed + int(row.worth or 0)),
        "buying_power": row.available + row.credit_limit,
        "owed": row.owed,
        "status": row.status,
    }


def read_portfolio(session: Statements, broker_id: int) -> dict[str, Any]:
    """Cash and every position that was ever held, valued at the last or the reference price, all at one moment."""
    available = reserved = 0
    positions = []
    for row in session.execute(POSITIONS, {"broker_id": broker_id}):
        if row.asset_id == CASH:
            available, reserved = row.available, row.reserved
        elif row.available or row.reserved or row.owed or row.traded or row.realised_pnl:
            positions.append(_position(row))
    cash = {"cash": available + reserved, "available_cash": available, "reserved_cash": reserved}
    return {**cash, "positions": positions}


def _position(row: Any) -> dict[str, Any]:
    held = row.available + row.reserved - row.owed
    value = None if row.price is None else held * row.price
    return {
        "symbol": row.symbol,
        "available": row.available,
        "reserved": row.reserved,
        "owed": row.owed,
        "average_cost": average_price(abs(int(row.cost)), abs(held)),
        "market_value": whole_number(value),
        "realised_pnl": whole_number(row.realised_pnl),
        "unrealised_pnl": None if value is None else whole_number(value - int(row.cost)),
    }
