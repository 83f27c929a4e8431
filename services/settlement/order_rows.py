"""How a turn stores its orders: what every order has in one statement, what few have in another."""

from collections.abc import Iterable
from operator import attrgetter
from typing import Any, NamedTuple

from database.columns import literals, number, unnest, word
from database.pipeline import Pipeline
from engine.terms.orders import Order
from services.settlement.ledger import order_id_of
from services.settlement.turn_outcome import TurnOutcome
from services.settlement.turn_records import OrderUpdate
from services.timestamps import moment, timestamp

LASTING = "id, client_order_id, order_type, time_in_force, valid_until, created_at, sequence"
"""What the orders' owners are told beside what the turn itself knows."""


def _valid_until(update: OrderUpdate) -> str | None:
    expiry = update.order.expire_at
    return None if expiry is None else timestamp(moment(expiry))


ORDERS = (
    number("id", lambda update: order_id_of(update.order)),
    word("status", attrgetter("status")),
    number("price", attrgetter("order.price")),
    number("quantity", attrgetter("order.quantity")),
    number("filled", attrgetter("order.filled")),
    number("remaining", lambda update: 0 if update.rejected else update.order.remaining),
    number("cancelled", lambda update: update.order.quantity if update.rejected else update.order.cancelled),
    number("notional", attrgetter("order.filled_value")),
    word("valid_until", _valid_until, "timestamptz"),
    number("sequence", attrgetter("sequence")),
    number("priority", lambda update: update.order.priority or None),
    word("taken_at", attrgetter("taken_at"), "timestamptz"),
    word("close_reason", attrgetter("close_reason")),
)
"""What a turn may change on any order; items are OrderUpdates."""

FEES = (number("maker_notional", lambda update: update.order.fees and update.order.fees.maker_notional),)
"""And on those that pay fees: most turns have none of them."""

_UPDATE = """
    UPDATE orders o SET status = t.status, price = CASE WHEN o.price IS NOT NULL THEN t.price END,
        quantity = t.quantity, filled_quantity = t.filled, remaining_quantity = t.remaining,
        cancelled_quantity = t.cancelled, filled_notional = t.notional, valid_until = t.valid_until,
        time_in_force = CASE WHEN o.time_in_force NOT IN ('gtc', 'gtd') THEN o.time_in_force
            WHEN t.valid_until IS NULL THEN 'gtc' ELSE 'gtd' END,
        sequence = coalesce(t.sequence, o.sequence), priority = t.priority, close_reason = t.close_reason,
        entered_at = CASE WHEN t.priority IS DISTINCT FROM o.priority THEN t.taken_at ELSE o.entered_at END,
        updated_at = clock_timestamp(), closed_at = CASE WHEN t.remaining = 0 THEN clock_timestamp() END{more}
    FROM {lists}
    WHERE o.id = t.id
    RETURNING {lasting}
"""
"""Locks the orders in the order of the list, which is that of their ids: a worker's connection can only go through the
list and look each up (`database.session.PLANS`). To lock them first, sorted, was a third of what this takes."""


TOLD = ", ".join(f"o.{name.strip()}" for name in LASTING.split(","))
UPDATE_ORDERS = _UPDATE.format(more="", lists=unnest(ORDERS), lasting=TOLD)
UPDATE_CHARGED = _UPDATE.format(
    more=", maker_notional = t.maker_notional", lists=unnest((*ORDERS, *FEES)), lasting=TOLD
)


class Special(NamedTuple):
    """The columns of few orders: shares that an iceberg shows, shares that were prevented, when a stop was elected.

    And what an amendment may make of a stop: its stop price, and by that the most that it may pay (cents).
    """

    order_id: int
    shown: int | None
    prevented: int
    triggered_at: str | None
    stop_price: int | None
    price: int | None


SPECIALS = (
    number("id", attrgetter("order_id")),
    number("shown", attrgetter("shown")),
    number("prevented", attrgetter("prevented")),
    word("triggered_at", attrgetter("triggered_at"), "timestamptz"),
    number("stop_price", attrgetter("stop_price")),
    number("price", attrgetter("price")),
)

UPDATE_SPECIALS = f"""
    UPDATE orders o SET shown_quantity = t.shown, prevented_quantity = o.prevented_quantity + t.prevented,
        triggered_at = coalesce(o.triggered_at, t.triggered_at), stop_price = t.stop_price,
        protection_price = CASE WHEN o.protection_price IS NOT NULL THEN t.price END
    FROM {unnest(SPECIALS)}
    WHERE o.id = t.id
"""  # noqa: S608 - names of this file
"""For the few orders that have more than a limit; `UPDATE_ORDERS` has locked and changed them before."""


def update_orders(sent: Pipeline, outcome: TurnOutcome) -> Iterable[Any]:
    """Store how the turn left the orders that it updates; their LASTING properties."""
    updates = [outcome.order_updates[order_id] for order_id in sorted(outcome.order_updates)]
    if not updates:
        return ()
    if any(update.order.fees is not None for update in updates):
        return sent.send(UPDATE_CHARGED, *literals((*ORDERS, *FEES), updates))
    return sent.send(UPDATE_ORDERS, *literals(ORDERS, updates))


def update_specials(sent: Pipeline, outcome: TurnOutcome) -> None:
    """Store what only icebergs, stops and orders that met their own account have; most turns have none of them."""
    prevented, triggered, updates = outcome.prevented, outcome.triggered, outcome.order_updates
    ids = prevented.keys() | triggered.keys() | outcome.amended_stops
    ids |= {order_id for order_id, update in updates.items() if update.order.display_quantity is not None}
    if not ids:
        return
    specials = [
        Special(
            order_id,
            _shown(updates[order_id].order),
            prevented.get(order_id, 0),
            triggered.get(order_id),
            updates[order_id].order.stop_price,
            updates[order_id].order.price,
        )
        for order_id in sorted(ids)
    ]
    sent.send(UPDATE_SPECIALS, *literals(SPECIALS, specials))


def _shown(order: Order) -> int | None:
    return None if order.display_quantity is None else order.shown
