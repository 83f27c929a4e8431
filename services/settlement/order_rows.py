"""How a turn stores its orders: what every order has in one statement, what few have in another."""

from collections.abc import Iterable
from typing import Any

from database.pipeline import Pipeline, numbers, words
from services.settlement.ledger import order_id_of
from services.settlement.statements import UPDATE_ORDERS, UPDATE_SPECIALS
from services.settlement.turn_outcome import TurnOutcome
from services.timestamps import moment, timestamp


def update_orders(sent: Pipeline, outcome: TurnOutcome) -> Iterable[Any]:
    """Store how the turn left the orders that it updates; their lasting properties."""
    updates = [outcome.order_updates[order_id] for order_id in sorted(outcome.order_updates)]
    if not updates:
        return ()
    orders = [one.order for one in updates]
    rejected = [one.status == "rejected" for one in updates]
    expiries = [order.expire_at for order in orders]
    return sent.send(
        UPDATE_ORDERS,
        numbers([order_id_of(order) for order in orders]),
        words(one.status for one in updates),
        numbers([order.price for order in orders]),
        numbers([order.quantity for order in orders]),
        numbers([order.filled for order in orders]),
        numbers([0 if no else order.remaining for order, no in zip(orders, rejected, strict=True)]),
        numbers([order.quantity if no else order.cancelled for order, no in zip(orders, rejected, strict=True)]),
        numbers([order.filled_value for order in orders]),
        words(None if expiry is None else timestamp(moment(expiry)) for expiry in expiries),
        numbers([one.sequence for one in updates]),
        numbers([order.priority or None for order in orders]),
        words(one.reject_code for one in updates),
    )


def update_specials(sent: Pipeline, outcome: TurnOutcome) -> None:
    """What only icebergs, stops and orders that met their own kind have; most turns have none of them."""
    prevented, triggered = outcome.prevented, outcome.triggered
    ids = prevented.keys() | triggered.keys()
    ids |= {order_id for order_id, one in outcome.order_updates.items() if one.order.display_quantity is not None}
    if not ids:
        return
    ordered = sorted(ids)
    orders = [outcome.order_updates[order_id].order for order_id in ordered]
    sent.send(
        UPDATE_SPECIALS,
        numbers(ordered),
        numbers([None if order.display_quantity is None else order.shown for order in orders]),
        numbers([prevented.get(order_id, 0) for order_id in ordered]),
        words(triggered.get(order_id) for order_id in ordered),
    )
