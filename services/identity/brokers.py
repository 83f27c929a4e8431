"""Brokers as administrators see them, and the limits that they give them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import text

from database.statements import Statements
from models import CASH
from models.accounts.asset import LARGEST_SUPPLY
from services.accounts.deposits import LOWER_SUPPLY, raise_supply
from services.accounts.fee_terms import terms_of_row
from services.errors import SupplyTooLarge, UnknownBroker
from services.identity.errors import LimitInUse
from services.identity.register import ALL_SHORT_LIMITS
from services.timestamps import timestamp
from settings.sections import Fees

BROKERS = """
    SELECT k.id, k.name, k.status, k.short_limit, k.created_at, k.maker_bps, k.taker_bps, k.turnover_30d,
        k.fee_version, coalesce(b.credit_limit, 0) AS credit_limit,
        coalesce(b.open_orders, 0) AS open_orders
    FROM brokers k LEFT JOIN balances b ON b.broker_id = k.id AND b.asset_id = 1
"""
PAGE = text(f"{BROKERS} WHERE k.id > 0 AND k.id < :before ORDER BY k.id DESC LIMIT :limit")
ONE = text(f"{BROKERS} WHERE k.id = :broker_id")
LOCKED = text(f"{BROKERS} WHERE k.id = :broker_id FOR NO KEY UPDATE OF k")
RENAME = text("UPDATE brokers SET name = :name WHERE id = :broker_id")

SET_CREDIT = text("""
    UPDATE balances SET credit_limit = :limit
    WHERE broker_id = :broker_id AND asset_id = :cash AND available >= -:limit RETURNING credit_limit
""")
SET_SHORT = text("UPDATE brokers SET short_limit = :limit WHERE id = :broker_id")
SET_SHORT_ACCOUNTS = text("""
    WITH locked AS MATERIALIZED (
        SELECT broker_id, asset_id, available FROM balances WHERE broker_id = :broker_id AND asset_id <> :cash
        ORDER BY broker_id, asset_id FOR NO KEY UPDATE
    ), changed AS (
        UPDATE balances b SET credit_limit = :limit FROM locked l
        WHERE b.broker_id = l.broker_id AND b.asset_id = l.asset_id
            AND NOT EXISTS (SELECT FROM locked WHERE available < -:limit)
    )
    SELECT count(*) FILTER (WHERE available < -:limit) FROM locked
""")


def read_brokers(session: Statements, before: int, limit: int, fees: Fees) -> Iterator[dict[str, Any]]:
    """Brokers with lower ids, newest first; `fees` are those of the settings."""
    return (broker_document(row, fees) for row in session.execute(PAGE, {"before": before, "limit": limit}))


def read_broker(session: Statements, broker_id: int, fees: Fees) -> dict[str, Any]:
    """One broker. Raises UnknownBroker."""
    return broker_document(_one(session.execute(ONE, {"broker_id": broker_id}).one_or_none(), broker_id), fees)


def change_broker(
    session: Statements, broker_id: int, changes: Mapping[str, Any], fees: Fees
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give a broker another name, `credit_limit` (cents) or `short_limit` (shares); what is left out stays.

    Before, and after. Raises UnknownBroker; LimitInUse where more is owed or sold short than would be allowed, and
    SupplyTooLarge.
    """
    before = broker_document(_one(session.execute(LOCKED, {"broker_id": broker_id}).one_or_none(), broker_id), fees)
    if "name" in changes:
        session.execute(RENAME, {"broker_id": broker_id, "name": changes["name"]})
    if "credit_limit" in changes:
        _set_credit(session, broker_id, before["credit_limit"], changes["credit_limit"])
    if "short_limit" in changes:
        _set_short(session, broker_id, changes["short_limit"])
    return before, read_broker(session, broker_id, fees)


def _set_credit(session: Statements, broker_id: int, present: int, limit: int) -> None:
    try:
        if limit > present:
            raise_supply(session, CASH, limit - present)
        else:
            session.execute(LOWER_SUPPLY, {"asset_id": CASH, "amount": present - limit})
    except SupplyTooLarge as refusal:
        raise SupplyTooLarge(refusal.detail, field="credit_limit", **refusal.facts) from refusal
    if session.scalar(SET_CREDIT, {"broker_id": broker_id, "cash": CASH, "limit": limit}) is None:
        raise LimitInUse(field="credit_limit")


def _set_short(session: Statements, broker_id: int, limit: int) -> None:
    values = {"broker_id": broker_id, "limit": limit}
    session.execute(SET_SHORT, values)
    if session.scalar(ALL_SHORT_LIMITS) > LARGEST_SUPPLY:
        raise SupplyTooLarge("No more may be sold short in all.", field="short_limit", largest_supply=LARGEST_SUPPLY)
    if session.scalar(SET_SHORT_ACCOUNTS, {**values, "cash": CASH}):
        raise LimitInUse(field="short_limit")


def broker_document(row: Any, fees: Fees) -> dict[str, Any]:
    """A broker as administrators see it; its rates are those that new orders come to have."""
    rates = terms_of_row(row).rates(fees)
    return {
        "broker_id": row.id,
        "name": row.name,
        "status": row.status,
        "credit_limit": row.credit_limit,
        "short_limit": row.short_limit,
        "maker_bps": rates.maker_bps,
        "taker_bps": rates.taker_bps,
        "open_orders": row.open_orders,
        "created_at": timestamp(row.created_at),
    }


def _one(row: Any, broker_id: int) -> Any:
    if row is None:
        raise UnknownBroker(f"There is no broker {broker_id}.")
    return row
