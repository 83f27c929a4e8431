"""What a turn of busts reads, and locks on the way, in the order in which everybody locks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from models import CASH
from models.clearing.bust import DONE, EXPIRED, REJECTED, REQUESTED
from services.clearing.busting.compensation import Correction, Holding
from services.settlement.ledger import Account

BUSTS: Final = text("""
    SELECT b.id, b.trade_id, b.stock_id, b.new_price, b.notional, b.status, b.rule, b.reason, b.range_id, b.asked_by,
        b.asked_by_name, b.asked_at, t.price, t.quantity, t.sequence AS trade_sequence, t.aggressor_side, t.is_auction,
        t.executed_at, t.busted_at, t.adjusted_price, t.buyer_id, t.seller_id, t.buy_order_id, t.sell_order_id
    FROM busts b JOIN trades t ON t.id = b.trade_id
    WHERE b.id = ANY(:ids) ORDER BY b.id FOR NO KEY UPDATE OF b
""")

LOCK_ASKER: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('asks for busts', :person))")
"""Whoever asks for busts of several stocks at once has them done one after the other."""

ASKED: Final = text(f"""
    SELECT coalesce(sum(notional), 0) FROM busts
    WHERE asked_by IS NOT DISTINCT FROM CAST(:asked_by AS bigint) AND rule IS NULL
        AND asked_at > CAST(:asked_at AS timestamptz) - :seconds * interval '1 second'
        AND status NOT IN ('{REJECTED}', '{EXPIRED}')
        AND (id <= :id OR status = '{DONE}' OR range_id = :range_id OR status <> '{REQUESTED}')
""")  # noqa: S608 - constants
"""Of what was asked for later, and nobody has decided, the turn will see this one done."""

MAY_CONFIRM: Final = text("SELECT is_active AND role = ANY(:roles) FROM users WHERE id = :person")

FILLS: Final = text("""
    SELECT e.broker_id, e.order_id, e.trade_id, e.sequence, coalesce(e.fee, 0) AS fee, o.side, o.client_order_id,
        o.order_type, o.price AS order_price, o.quantity, o.filled_quantity, o.remaining_quantity, o.filled_notional,
        o.status
    FROM account_events e JOIN orders o ON o.id = e.order_id
    WHERE e.trade_id = ANY(:trades) AND e.broker_id = ANY(:brokers) AND e.order_id = ANY(:orders)
""")

COUNTERS: Final = text("""
    SELECT broker_id, sequence, webhook_sequence FROM account_counters
    WHERE broker_id = ANY(:brokers) ORDER BY broker_id FOR NO KEY UPDATE
""")

BROKERS: Final = text("""
    SELECT id, status FROM brokers WHERE id = ANY(:brokers) ORDER BY id FOR NO KEY UPDATE
""")

BALANCES: Final = text("""
    SELECT broker_id, asset_id, available, reserved, credit_limit, owed FROM balances
    WHERE broker_id = ANY(:brokers) ORDER BY broker_id, asset_id FOR NO KEY UPDATE
""")
"""All of the parties': whoever turns out to owe is kept from all of them."""

LOCK_GUARANTEE: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('guarantee', 0))")
ADVANCED: Final = text(f"""
    SELECT coalesce(sum(CAST(b.owed AS numeric) * CASE b.asset_id WHEN {CASH} THEN 1
        ELSE coalesce(s.reference_price, s.last_price, 0) END), 0)
    FROM balances b LEFT JOIN stocks s ON s.id = b.asset_id WHERE b.owed > 0
""")  # noqa: S608 - a number of ours

HOOKED: Final = text("""
    SELECT broker_id FROM webhooks WHERE broker_id = ANY(:brokers) AND enabled AND :event = ANY(events)
""")


@dataclass(slots=True)
class Parties:
    """Everything of the brokers that a run of busts is about, locked to the commit."""

    fills: Mapping[tuple[int, int], Any] = field(default_factory=dict)
    """Their fills by (trade, order), beside the orders as they are now."""
    counters: dict[int, list[int]] = field(default_factory=dict)
    """How many events of its own each has been told, and how many of these its receiver."""
    statuses: Mapping[int, str] = field(default_factory=dict)
    balances: Mapping[Account, Any] = field(default_factory=dict)

    def holdings(self) -> dict[Account, Holding]:
        """Their accounts."""
        return {account: Holding(row.available, row.credit_limit, row.owed) for account, row in self.balances.items()}


def lock_busts(session: Statements, ids: Collection[int]) -> dict[int, Any]:
    """The rows of these busts beside their trades', by id; nobody decides about them meanwhile."""
    return {row.id: row for row in session.execute(BUSTS, {"ids": list(ids)})}


def asked_together(session: Statements, bust: Any, seconds: int) -> int:
    """Cents of notional that whoever asked for `bust` has asked for within so many seconds before, with it.

    Others of the same person wait for their turn until the commit.
    """
    session.execute(LOCK_ASKER, {"person": bust.asked_by or 0})
    values = {
        "asked_by": bust.asked_by,
        "asked_at": bust.asked_at,
        "seconds": seconds,
        "id": bust.id,
        "range_id": bust.range_id,
    }
    return int(session.scalar(ASKED, values))


def lock_parties(session: Statements, busts: Sequence[Any], fee_accounts: Collection[int]) -> Parties:
    """Lock the buyers and sellers of these trades, and the accounts that their fees went to."""
    brokers = sorted({broker for bust in busts for broker in (bust.buyer_id, bust.seller_id)})
    orders = sorted({order for bust in busts for order in (bust.buy_order_id, bust.sell_order_id)})
    named = {"brokers": brokers}
    fills = session.execute(FILLS, {**named, "trades": [bust.trade_id for bust in busts], "orders": orders})
    by_fill = {(row.trade_id, row.order_id): row for row in fills}
    counters = {row.broker_id: [row.sequence, row.webhook_sequence] for row in session.execute(COUNTERS, named)}
    statuses = {row.id: row.status for row in session.execute(BROKERS, named)}
    rows = session.execute(BALANCES, {"brokers": [*brokers, *fee_accounts]})
    return Parties(by_fill, counters, statuses, {(row.broker_id, row.asset_id): row for row in rows})


def may_confirm(session: Statements, person: int, roles: Collection[str]) -> bool:
    """True if the person has one of these roles, and may log in, at this moment."""
    return bool(session.scalar(MAY_CONFIRM, {"person": person, "roles": list(roles)}))


def correction_of(bust: Any, fills: Mapping[tuple[int, int], Any], fee_account: int) -> Correction:
    """What the bust is to do to its trade."""
    return Correction(
        trade_id=bust.trade_id,
        stock_id=bust.stock_id,
        buyer=bust.buyer_id,
        seller=bust.seller_id,
        price=bust.price,
        quantity=bust.quantity,
        buyer_fee=fills[bust.trade_id, bust.buy_order_id].fee,
        seller_fee=fills[bust.trade_id, bust.sell_order_id].fee,
        fee_account=fee_account,
        new_price=bust.new_price,
    )


def advanced_now(session: Statements) -> int:
    """Cents that the guarantee account has advanced, and nobody advances more until the commit.

    Lent shares count at their stock's reference price, or where there is none at its last.
    """
    session.execute(LOCK_GUARANTEE)
    return int(session.scalar(ADVANCED))


def hooked_brokers(session: Statements, brokers: Collection[int], event: str) -> set[int]:
    """Those whose receivers are to be told of such an event."""
    return {row.broker_id for row in session.execute(HOOKED, {"brokers": list(brokers), "event": event})}
