"""From a row of the inbox to what the engine is asked to do. The worker and the replay read the journal alike."""

from collections.abc import Mapping
from typing import Any

from engine.commands import UNCHANGED, Amend, Cancel, Clock, Command, New
from engine.orders import ASK, BID, Order

SIDES = {"bid": BID, "ask": ASK}
SIDE_NAMES = {BID: "bid", ASK: "ask"}

BROKEN = "internal_error"
"""A command that broke the engine or the settlement."""

UNDERFUNDED = "insufficient_reservation"
"""An amendment for which too little was set aside."""

NEVER_MATCHED = frozenset({BROKEN, UNDERFUNDED})
"""With these in `refused` a command was sequenced but kept from the engine; a replay leaves it out too."""


def engine_command(kind: str, order_id: int | None, broker_id: int | None, payload: Mapping[str, Any]) -> Command:
    """The engine's command for a row of `commands`. An order's account is its (broker, document)."""
    match kind:
        case "new":
            return New(
                Order(
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
            )
        case "cancel":
            return Cancel(order_id)
        case "amend":
            return Amend(order_id, payload["price"], payload["quantity"], payload.get("expire_at", UNCHANGED))
        case "expire":
            return Clock()
    raise ValueError(f"unknown kind of command: {kind}")
