"""From a row of the inbox to what the engine is asked to do. The worker and the replay read the journal alike."""

from collections.abc import Mapping
from typing import Any, Final

from engine.commands import UNCHANGED, Amend, Cancel, Clock, Command, New, Roll, State, Uncross
from engine.orders import SIDES, Order
from engine.states import STATES

BROKEN = "internal_error"
"""A command that broke the engine or the settlement."""

UNDERFUNDED = "insufficient_reservation"
"""An amendment for which too little was set aside."""

NEVER_MATCHED = frozenset({BROKEN, UNDERFUNDED})
"""With these in `refused` a command was sequenced but kept from the engine; a replay leaves it out too."""

WITHOUT_PAYLOAD: Final[dict[str, type[Clock | Uncross | Roll]]] = {"expire": Clock, "uncross": Uncross, "roll": Roll}


def engine_command(kind: str, order_id: int | None, broker_id: int | None, payload: Mapping[str, Any]) -> Command:
    """The engine's command for a row of `commands`. An order's account is its (broker, document)."""
    match kind:
        case "new":
            return New(_order(order_id, broker_id, payload))
        case "cancel":
            return Cancel(order_id)
        case "amend":
            return Amend(order_id, payload["price"], payload["quantity"], payload.get("expire_at", UNCHANGED))
        case "state":
            return State(payload["state"], payload["reason"], tuple(payload.get("only_from", STATES)))
        case "expire" | "uncross" | "roll":
            return WITHOUT_PAYLOAD[kind]()
    raise ValueError(f"unknown kind of command: {kind}")


def _order(order_id: int | None, broker_id: int | None, payload: Mapping[str, Any]) -> Order:
    """The order that a payload describes; what few orders have is left out of the others' payloads."""
    order = Order(
        order_id,
        (broker_id, payload["document"]),
        SIDES[payload["side"]],
        payload["type"],
        payload["price"],
        payload["quantity"],
        payload["tif"],
        payload["expire_at"],
        payload["stp"],
    )
    order.post_only = payload.get("post_only", False)
    order.stop_price = payload.get("stop_price")
    order.display_quantity = payload.get("display_quantity")
    return order
