"""Deposits and withdrawals as callers ask for them: each has a `reference`, and is done once for ever.

`reference` is unique for each broker, over deposits and withdrawals together.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import text

from database.statements import Statements
from models import CASH
from services.accounts.deposits import DEPOSIT, Moved, deposit, withdraw
from services.accounts.errors import ReferenceReused
from services.accounts.worth import value_of
from services.errors import InsufficientFunds, InsufficientShares, SupplyTooLarge, UnknownBroker
from services.stocks.listing import refuse_delisted, unknown_stock
from services.timestamps import timestamp

CLAIM = text("""
    INSERT INTO external_references (broker_id, reference, fingerprint) VALUES (:broker_id, :reference, :fingerprint)
    ON CONFLICT (broker_id, reference) DO NOTHING RETURNING reference
""")
"""Whoever comes second with the same reference waits here for the first."""

KNOWN = text("""
    SELECT fingerprint, answer FROM external_references WHERE broker_id = :broker_id AND reference = :reference
""")
ANSWER = text("""
    UPDATE external_references SET answer = CAST(:answer AS json)
    WHERE broker_id = :broker_id AND reference = :reference
""")
BROKER = text("SELECT short_limit FROM brokers WHERE id = :broker_id FOR KEY SHARE")
STOCKS = text(
    "SELECT id, symbol, state, last_price, reference_price FROM stocks WHERE symbol = ANY(:symbols) ORDER BY id"
)

CASH_NAME: Final = "cash"


@dataclass(frozen=True, slots=True)
class Shares:
    """So many of a stock, and what they cost in cents; None for what they are worth."""

    quantity: int
    cost: int | None = None


@dataclass(frozen=True, slots=True)
class ExternalRequest:
    """What is to come in or go out: `kind` is deposit or withdrawal, `cash` in cents, `positions` by symbol."""

    kind: str
    broker_id: int
    reference: str
    cash: int
    positions: Mapping[str, Shares]

    def fingerprint(self) -> bytes:
        """The same for the same request."""
        positions = {symbol: [shares.quantity, shares.cost] for symbol, shares in self.positions.items()}
        document = [self.kind, self.cash, positions]
        return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).digest()


def move_once(session: Statements, request: ExternalRequest) -> tuple[dict[str, Any], bool]:
    """Do what is asked for unless it was done before; the answer, and whether it is new.

    Raises UnknownBroker, UnknownStock, ReferenceReused, SupplyTooLarge, PositionTooValuable, InsufficientFunds,
    InsufficientShares; each names its field.
    """
    limit = session.scalar(BROKER, {"broker_id": request.broker_id})
    if limit is None:
        raise UnknownBroker(f"There is no broker {request.broker_id}.")
    named = {"broker_id": request.broker_id, "reference": request.reference}
    if session.scalar(CLAIM, {**named, "fingerprint": request.fingerprint()}) is None:
        known = session.execute(KNOWN, named).one()
        if bytes(known.fingerprint) != request.fingerprint():
            raise ReferenceReused(field="reference")
        return known.answer, False
    lines = [_document(moved, asset, request.reference) for asset, moved in _moved(session, request, limit)]
    answer = {"reference": request.reference, "transfers": lines}
    session.execute(ANSWER, {**named, "answer": orjson.dumps(answer).decode()})
    return answer, True


def _moved(session: Statements, request: ExternalRequest, short_limit: int) -> list[tuple[str, Moved]]:
    """What was moved, by asset, in the order in which accounts are locked everywhere."""
    stocks = {row.symbol: row for row in session.execute(STOCKS, {"symbols": list(request.positions)})}
    for symbol in request.positions:
        if symbol not in stocks:
            raise unknown_stock(symbol, "positions")
    if request.kind == DEPOSIT:
        refuse_delisted(stocks.values())
    done = []
    if request.cash:
        done.append((CASH_NAME, _move(session, request, CASH, request.cash)))
    for symbol, stock in stocks.items():
        shares = request.positions[symbol]
        cost = shares.cost
        if cost is None and request.kind == DEPOSIT:
            cost = value_of(stock, shares.quantity)
        done.append((symbol, _move(session, request, stock.id, shares.quantity, cost or 0, short_limit)))
    return done


def _move(
    session: Statements, request: ExternalRequest, asset_id: int, amount: int, cost: int = 0, credit_limit: int = 0
) -> Moved:
    field = "cash" if asset_id == CASH else "positions"
    try:
        if request.kind == DEPOSIT:
            return deposit(
                session,
                request.broker_id,
                asset_id,
                amount,
                cost=cost,
                credit_limit=credit_limit,
                reference=request.reference,
            )
        return withdraw(session, request.broker_id, asset_id, amount, request.reference)
    except (InsufficientFunds, InsufficientShares, SupplyTooLarge) as refusal:
        raise type(refusal)(refusal.detail, field=field, **refusal.facts) from refusal


def _document(moved: Moved, asset: str, reference: str) -> dict[str, Any]:
    return {
        "transfer_id": moved.transfer_id,
        "time": timestamp(moved.moved_at),
        "asset": asset,
        "kind": moved.kind,
        "amount": moved.amount,
        "balance_after": moved.balance_after,
        "cost": None if asset == CASH_NAME else moved.cost,
        "order_id": None,
        "trade_id": None,
        "reference": reference,
    }
