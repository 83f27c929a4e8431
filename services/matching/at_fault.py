"""Whose rows refuse what a command would bring: the resting orders that break a turn are taken out, not who met them.

A trade changes the rows of two brokers. Where those of a resting order's broker cannot take it, every order that comes
to that price would break its turn, and be refused for what is not its fault. So a command that breaks a turn of its own
is carried out once more, and what it brings is tried on each broker's rows alone; all of it is rolled back.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from database.errors import is_passing
from database.pipeline import pipeline
from database.session import undone
from engine.terms.codes import INTERNAL_ERROR
from services.settlement.balance_rows import change_balances
from services.settlement.ledger import broker_of
from services.settlement.order_rows import update_orders, update_specials
from services.settlement.turn_outcome import TurnOutcome

TAKE_OUT = text("""
    INSERT INTO commands (stock_id, kind, order_id, broker_id, payload)
    SELECT :stock_id, 'cancel', order_id, broker_id, CAST(:payload AS json)
    FROM unnest(CAST(:order_ids AS bigint[]), CAST(:broker_ids AS bigint[])) AS t (order_id, broker_id)
    ORDER BY order_id RETURNING id
""")


class AtFault(NamedTuple):
    """A resting order whose broker's own rows refuse what a command brings."""

    order_id: int
    broker_id: int


def orders_at_fault(session: Session, outcome: TurnOutcome, row: Any) -> list[AtFault]:
    """The resting orders because of which `outcome`, that of the one command `row`, cannot be stored; oldest first.

    None where the command's own broker is at fault, or nobody by itself. The session's transaction must be rolled back.
    """
    resting: dict[int, list[int]] = {}
    for order_id, update in sorted(outcome.order_updates.items()):
        resting.setdefault(broker_of(update.order), []).append(order_id)
    own = resting.pop(row.broker_id, None) if row.broker_id is not None else None
    if own is not None and _refuses(session, outcome, row.broker_id):
        return []
    return [
        AtFault(order_id, broker_id)
        for broker_id, order_ids in resting.items()
        if _refuses(session, outcome, broker_id)
        for order_id in order_ids
    ]


def take_out(session: Session, stock_id: int, orders: Sequence[AtFault]) -> list[int]:
    """Put a cancel into the inbox for each of these orders of the stock; the ids of the commands."""
    values = {
        "stock_id": stock_id,
        "payload": orjson.dumps({"reason": INTERNAL_ERROR}).decode(),
        "order_ids": [order.order_id for order in orders],
        "broker_ids": [order.broker_id for order in orders],
    }
    return list(session.scalars(TAKE_OUT, values))


def _refuses(session: Session, outcome: TurnOutcome, broker_id: int) -> bool:
    """True if the rows of this broker, changed by themselves, cannot be what `outcome` makes of them."""
    part = _part_of(outcome, broker_id)
    try:
        with undone(session), pipeline(session) as sent:
            update_orders(sent, part)
            update_specials(sent, part)
            change_balances(sent, part, set())
    except Exception as error:
        if is_passing(error):
            raise
        return True
    return False


def _part_of(outcome: TurnOutcome, broker_id: int) -> TurnOutcome:
    """The part of `outcome` that is stored in this broker's rows of orders and balances."""
    part = TurnOutcome()
    part.order_updates = {
        order_id: update for order_id, update in outcome.order_updates.items() if broker_of(update.order) == broker_id
    }
    part.prevented = _of(part.order_updates, outcome.prevented)
    part.triggered = _of(part.order_updates, outcome.triggered)
    part.amended_stops = outcome.amended_stops & part.order_updates.keys()
    part.ledger.changes = {
        account: change for account, change in outcome.ledger.changes.items() if account[0] == broker_id
    }
    part.ledger.receiving = {account for account in outcome.ledger.receiving if account[0] == broker_id}
    return part


def _of(orders: Mapping[int, Any], values: Mapping[int, Any]) -> dict[int, Any]:
    return {order_id: value for order_id, value in values.items() if order_id in orders}
