"""Cancel many orders at once: now, or should one fall silent."""

from typing import Any

from api.access.acts import act
from api.access.auth import broker_id
from api.access.resource import Resource
from api.access.rights import Access
from api.components import components
from api.http.answers import Answer, answer
from api.trading.command_results import PREFER, awaited, preference_applied
from api.trading.mass_cancel_schemas import CancelAfterSchema, CancelFilterSchema, MassCancelSchema, SwitchSchema
from queues.replies import Expected
from services.identity.brokers import read_broker
from services.order_entry.changing.cancel_after import arm
from services.order_entry.changing.mass_cancel import QueuedCancels, cancel_all, cancelled
from services.stocks.listing import listed_id
from services.timestamps import timestamp

blueprint = Resource("mass cancels", __name__, url_prefix="/api/v1", description="Cancel many of one's orders at once.")


@blueprint.open_to(Access.CANCEL, "/orders", "DELETE")
@blueprint.doc(parameters=[PREFER])
@blueprint.arguments(CancelFilterSchema, location="query")
@blueprint.response(200, MassCancelSchema, description="None of them will ever trade again.")
@blueprint.alt_response(202, schema=MassCancelSchema, description="Some cancels are still queued.")
def cancel_orders(wanted: dict[str, Any]) -> Answer:
    """Cancel all of one's orders, or those of a stock or a side

    `cancelled` counts the orders that this request took out of the book; what filled meanwhile stays filled.
    """
    return _cancel_all(broker_id(), wanted)


@blueprint.open_to(Access.OPERATOR, "/brokers/<broker_id:broker_id>/orders", "DELETE")
@blueprint.doc(parameters=[PREFER])
@blueprint.arguments(CancelFilterSchema, location="query")
@blueprint.response(200, MassCancelSchema, description="None of them will ever trade again.")
@blueprint.alt_response(202, schema=MassCancelSchema, description="Some cancels are still queued.")
def cancel_orders_of_broker(wanted: dict[str, Any], broker_id: int) -> Answer:
    """Cancel all orders of a broker, or those of a stock or a side, without suspending it"""
    return _cancel_all(broker_id, wanted, by_operator=True)


def _cancel_all(broker_id: int, wanted: dict[str, Any], *, by_operator: bool = False) -> Answer:
    with components().replies.expect() as reply:
        with components().database.writing() as session:
            if by_operator:
                read_broker(session, broker_id, components().settings.fees)
            if "symbol" in wanted:
                listed_id(session, wanted["symbol"])
            asked = cancel_all(session, [broker_id], **wanted, reply_to=reply.address)
            if by_operator:
                after = {**wanted, "cancelling": len(asked.commands)}
                act(session, "broker.cancel_orders", f"broker:{broker_id}", after=after)
        components().intake.wake(asked.stocks)
        done = _all_taken(asked, reply)
    with components().database.reading() as session:
        waiting, taken = cancelled(session, asked.commands)
    body = {"cancelled": taken, "queued": waiting}
    return answer(body, 202 if waiting else 200, preference_applied(waited=done))


@blueprint.open_to(Access.CANCEL, "/orders/cancel-after", "POST")
@blueprint.arguments(CancelAfterSchema)
@blueprint.response(200, SwitchSchema)
def cancel_after(request: dict[str, int]) -> Answer:
    """Have all of one's orders cancelled unless this is called again in time

    A dead man's switch: each call starts the time anew, and 0 turns it off. Once it has cancelled it is off.
    """
    with components().database.writing() as session:
        due = arm(session, broker_id(), request["seconds"])
    return answer({"seconds": request["seconds"], "cancel_at": timestamp(due)})


def _all_taken(asked: QueuedCancels, reply: Expected) -> bool:
    """True if the book took all of the cancels within the time that the client wants to wait."""
    if not asked.commands:
        return True
    return awaited(lambda session: cancelled(session, asked.commands)[0] == 0 or None, reply) is not None
