"""What a bust would do, for whoever is about to ask for it or to confirm it.

It is done, and taken back: the caller rolls back whatever this has changed. So a preview says what the bust itself
would have come to at that moment. Meanwhile the stock waits, and so do the two parties.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from models import CASH
from models.clearing.bust import DONE, LIVE, REQUESTED
from services.clearing.busting.bust import BustCommand, BustRun, DecidedBust, decide
from services.clearing.busting.compensation import claims_of
from services.clearing.busting.debts import OrderToCancel, orders_to_cancel
from services.clearing.busting.loading import correction_of
from services.clearing.requests import Asker, ask
from services.prices import STANDING_PRICE, average_price, whole_number
from services.timestamps import timestamp
from settings.clearing import Clearing

NO_LIMIT: Final = 2**62

STOCK: Final = text("""
    SELECT s.id, s.symbol, s.fee_account, s.last_price, coalesce(s.reference_price, s.last_price, 0) AS share_value,
        clock_timestamp() AS now
    FROM trades t JOIN stocks s ON s.id = t.stock_id WHERE t.id = :trade_id FOR NO KEY UPDATE OF s
""")

ASKED: Final = text(f"""
    SELECT id, new_price FROM busts
    WHERE trade_id = :trade_id AND status <> '{DONE}' AND status IN ({", ".join(f"'{status}'" for status in LIVE)})
""")  # noqa: S608 - constants

AS_ASKED: Final = text(f"UPDATE busts SET status = '{REQUESTED}' WHERE id = :bust_id")  # noqa: S608 - a constant
"""As if nothing stood in its way."""

MARK: Final = text("""
    UPDATE trades SET adjusted_price = CAST(:new_price AS bigint),
        busted_at = CASE WHEN CAST(:new_price AS bigint) IS NULL THEN CAST(:now AS timestamptz) END
    WHERE id = :trade_id
""")

FIGURES: Final = text(f"""
    SELECT date_trunc('minute', here.executed_at) AS start, count(t.id) AS trade_count,
        (array_agg({STANDING_PRICE} ORDER BY t.sequence))[1] AS open, max({STANDING_PRICE}) AS high,
        min({STANDING_PRICE}) AS low, (array_agg({STANDING_PRICE} ORDER BY t.sequence DESC))[1] AS close,
        CAST(coalesce(sum(t.quantity), 0) AS bigint) AS volume,
        coalesce(sum(CAST({STANDING_PRICE} AS numeric) * t.quantity), 0) AS turnover
    FROM trades here LEFT JOIN trades t ON t.stock_id = here.stock_id AND t.busted_at IS NULL
        AND t.sequence BETWEEN here.sequence - :around AND here.sequence + :around
        AND date_trunc('minute', t.executed_at) = date_trunc('minute', here.executed_at)
    WHERE here.id = :trade_id GROUP BY here.executed_at
""")  # noqa: S608 - a constant
"""The candle of the trade's minute, by the trades that stand."""

AROUND: Final = 100_000
"""Events of the tape before and after a trade within which its minute is looked for."""

STATUSES: Final = text("SELECT id, status, name FROM brokers WHERE id = ANY(:ids)")


def preview_bust(
    session: Statements, trade_id: int, asker: Asker, reason: str, new_price: int | None, terms: Clearing
) -> dict[str, Any]:
    """What this bust would come to now; of one that somebody has asked for already, and that waits, what that would.

    `status` is what it would be: done, or why not. Raises UnknownTrade, AlreadyBusted. To be rolled back.
    """
    stock = session.execute(STOCK, {"trade_id": trade_id}).one_or_none()
    asked = session.execute(ASKED, {"trade_id": trade_id}).one_or_none()
    bust_id = ask(session, trade_id, reason, asker, new_price=new_price).bust_id if asked is None else asked.id
    command = BustCommand(0, bust_id, None, stock.now, stock.fee_account, stock.share_value)
    (wanted,) = decide(session, [command], terms).decided
    session.execute(AS_ASKED, {"bust_id": bust_id})
    unlimited = replace(terms, second_person_above=NO_LIMIT, guarantee_limit=NO_LIMIT)
    run = decide(session, [command], unlimited)
    (each,) = run.decided
    found: dict[str, Any] = {
        "dry_run": True,
        "trade_id": trade_id,
        "symbol": stock.symbol,
        "status": wanted.refused or DONE,
        "old_price": each.bust.price,
        "new_price": each.bust.new_price,
        "quantity": each.bust.quantity,
        "notional": each.bust.notional,
    }
    if each.refused is not None:
        return found
    debts = _debts(session, run, each, stock.symbol)
    return {**found, **debts, "market_data": _market_data(session, each, stock.last_price, stock.now)}


def _debts(session: Statements, run: BustRun, each: DecidedBust, symbol: str) -> dict[str, Any]:
    """Who has to give what, and what becomes of who cannot: the money, and beside it the shares."""
    correction = correction_of(each.bust, run.parties.fills, each.command.fee_account)
    lacking = {(lack.broker_id, lack.asset_id): lack for lack in each.compensation.shortfalls}
    debtors = {broker for broker, _ in lacking}
    ids = {each.bust.buyer_id, each.bust.seller_id}
    names = {row.id: row for row in session.execute(STATUSES, {"ids": list(ids)})}
    sides: dict[int, dict[str, Any]] = {}
    for claim in claims_of(correction):
        if claim.debtor not in ids:
            continue
        account = claim.debtor, claim.asset_id
        lack = lacking.get(account)
        advanced = 0 if lack is None else lack.missing
        cancels = orders_to_cancel(session, *account, run.accounts.holdings[account].owed) if advanced else []
        before = names[claim.debtor].status
        sides[claim.asset_id] = {
            "broker_id": claim.debtor,
            "broker_name": names[claim.debtor].name,
            "asset": "cash" if claim.asset_id == CASH else symbol,
            "owed": claim.amount,
            "taken_available": claim.amount - advanced,
            "advanced": advanced,
            "orders_to_cancel": [_order(cancel) for cancel in cancels],
            "stays_owed": max(0, advanced - sum(cancel.frees for cancel in cancels)),
            "status_after": "close_only" if before == "active" and claim.debtor in debtors else before,
        }
    money = sides.get(CASH, {})
    shares = next((side for asset_id, side in sides.items() if asset_id != CASH), None)
    fees = {"buyer": correction.buyer_fee, "seller": correction.seller_fee}
    return {**money, "shares": shares, "fees_returned": fees if each.bust.new_price is None else None}


def _order(cancel: OrderToCancel) -> dict[str, Any]:
    order = cancel.order
    return {
        "order_id": order.id,
        "symbol": order.symbol,
        "side": order.side,
        "price": order.price,
        "remaining_quantity": order.remaining_quantity,
        "entered_at": timestamp(order.created_at),
        "frees": cancel.frees,
    }


def _market_data(session: Statements, each: DecidedBust, last_price: int | None, now: datetime) -> dict[str, Any]:
    bust = each.bust
    before = _candle(session, bust.trade_id)
    session.execute(MARK, {"trade_id": bust.trade_id, "new_price": bust.new_price, "now": now})
    after = _candle(session, bust.trade_id)
    return {
        "before": {"last_price": last_price, "candle": before},
        "after": {"last_price": each.last_price, "candle": after},
    }


def _candle(session: Statements, trade_id: int) -> Mapping[str, Any]:
    row = session.execute(FIGURES, {"trade_id": trade_id, "around": AROUND}).one()
    return {
        "start": timestamp(row.start),
        "open": row.open,
        "high": row.high,
        "low": row.low,
        "close": row.close,
        "volume": row.volume,
        "turnover": whole_number(row.turnover),
        "vwap": average_price(int(row.turnover), row.volume),
        "trade_count": row.trade_count,
    }
