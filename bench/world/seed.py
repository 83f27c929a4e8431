"""Stocks, brokers and what these hold, for an exchange to be measured. A broker can pay for every order of any run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from services.identity.register import register_broker
from services.stocks.listing import list_stock
from settings.sections import Market

REFERENCE: Final = 10_000
"""Cents: where every stock is listed, and prices lie around."""

CASH: Final = 10**15
"""Cents of each broker. As with its shares, every order is funded and every reservation is real."""

SHARES: Final = 10**10
"""Shares of each stock that each broker holds."""

HOLD = text("""
    WITH held AS (
        INSERT INTO balances (broker_id, asset_id, available)
        SELECT b.id, s.id, :shares FROM brokers b CROSS JOIN stocks s WHERE b.id > 0 ORDER BY b.id, s.id
    ), entered AS (
        INSERT INTO transfers (kind, asset_id, amount, from_broker, from_bucket, to_broker, to_bucket)
        SELECT 'deposit', s.id, :shares, b.id, 'outside', b.id, 'available' FROM brokers b CROSS JOIN stocks s
        WHERE b.id > 0
        ORDER BY b.id, s.id
        RETURNING id, to_broker, asset_id
    ), supplied AS (
        UPDATE assets SET supply = supply + :shares * (SELECT count(*) FROM brokers WHERE id > 0)
        WHERE id IN (SELECT id FROM stocks)
    )
    INSERT INTO external_transfers (transfer_id, broker_id, asset_id, account_sequence, cost)
    SELECT id, to_broker, asset_id, 0, 0 FROM entered
""")
"""What `services.accounts.deposit` does, for every broker and stock at once."""


@dataclass(frozen=True, slots=True)
class Trader:
    """A broker with what it authenticates with."""

    broker_id: int
    api_key: str


def list_stocks(session: Session, symbols: list[str], market: Market, group: str) -> list[int]:
    """List these stocks at REFERENCE; their ids."""
    return [
        list_stock(session, symbol=symbol, name=symbol, market=market, group=group, reference_price=REFERENCE)
        for symbol in symbols
    ]


def register_traders(session: Session, brokers: int) -> list[Trader]:
    """Register that many brokers, each with CASH, and with SHARES of every listed stock."""
    new = [register_broker(session, name=f"Broker {n}", cash=CASH) for n in range(brokers)]
    session.execute(HOLD, {"shares": SHARES})
    return [Trader(broker.broker_id, broker.api_key) for broker in new]
