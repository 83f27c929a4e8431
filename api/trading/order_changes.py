"""Amend and cancel orders. Both are commands in the inbox: the book decides whether they come in time."""

from typing import Any, cast

from api.access.auth import broker_id, refuse_suspended
from api.access.resource import Resource
from api.access.rights import Access
from api.components import components
from api.http.answers import Answer, answer
from api.http.paths import CLIENT_ORDER_ID, ORDER
from api.http.problems import AmendmentRefused, CancelRefused
from api.trading.command_results import PREFER, preference_applied, result_of
from api.trading.order_schemas import AmendmentSchema, OrderSchema
from engine.terms.codes import PRICE_OUTSIDE_BAND
from services.errors import OrderClosed
from services.order_entry.changing.amendments import Amendment
from services.order_entry.changing.cancel import Cancel
from services.order_entry.read_orders import id_of_client_order, read_order
from services.stocks.read_stocks import read_stock

blueprint = Resource("order changes", __name__, url_prefix="/api/v1", description="Amend and cancel one's orders.")


def _own_order(order_id: int) -> dict[str, Any]:
    with components().database.reading_few() as session:
        return read_order(session, broker_id(), order_id)


@blueprint.open_to(Access.TRADE, ORDER, "PUT")
@blueprint.doc(parameters=[PREFER])
@blueprint.arguments(AmendmentSchema, of=_own_order)
@blueprint.response(200, OrderSchema, description="Applied: the order as it is now.")
@blueprint.alt_response(202, schema=OrderSchema, description="Still queued: the order as it was.")
def amend_order(request: dict[str, Any], order_id: int) -> Answer:
    """Amend an order

    Less quantity at the same price keeps its place in time; more quantity or another price loses it.
    """
    refuse_suspended()
    with components().replies.expect() as reply:
        queued = components().intake.amend(Amendment(broker_id(), order_id, **request, reply_to=reply.address))
        result = result_of(cast(int, queued.command_id), reply)
    if result is not None and result.order_was_closed:
        raise OrderClosed(f"Order {order_id} was closed before the amendment reached the book.")
    if result is not None and result.refused:
        raise AmendmentRefused(result.reason, reason=result.refused, **_band(queued.symbol, result.refused))
    return answer(_own_order(order_id), 200 if result else 202, preference_applied(waited=result is not None))


@blueprint.open_to(Access.CANCEL, ORDER, "DELETE", of=_own_order)
@blueprint.doc(parameters=[PREFER])
@blueprint.response(204, description="Cancelled, or it was already closed.")
@blueprint.alt_response(202, description="Still queued.")
def cancel_order(order_id: int) -> Answer:
    """Cancel an order

    After 204 it never trades again. A closed order stays as it is.
    """
    return _cancel(order_id)


@blueprint.open_to(Access.CANCEL, f"/orders/by-client-id/<{CLIENT_ORDER_ID}:client_order_id>", "DELETE")
@blueprint.doc(parameters=[PREFER])
@blueprint.response(204, description="Cancelled, or it was already closed.")
@blueprint.alt_response(202, description="Still queued.")
def cancel_order_by_client_order_id(client_order_id: str) -> Answer:
    """Cancel an order by one's own id

    For whoever never heard which order_id it got. The same as DELETE of the order.
    """
    with components().database.reading_few() as session:
        order_id = id_of_client_order(session, broker_id(), client_order_id)
    return _cancel(order_id)


@blueprint.open_to(Access.CANCEL, f"{ORDER}/cancel", "POST", of=_own_order)
@blueprint.doc(parameters=[PREFER])
@blueprint.response(204, description="Cancelled, or it was already closed.")
@blueprint.alt_response(202, description="Still queued.")
def cancel_order_by_post(order_id: int) -> Answer:
    """Cancel an order

    The same as DELETE.
    """
    return _cancel(order_id)


def _cancel(order_id: int) -> Answer:
    with components().replies.expect() as reply:
        queued = components().intake.cancel(Cancel(broker_id(), order_id, reply.address))
        if queued.command_id is None:
            return Answer(204)
        result = result_of(queued.command_id, reply)
    if result is None:
        return Answer(202, headers=preference_applied(waited=result is not None))
    if result.order_is_open:
        raise CancelRefused(result.reason, reason=result.refused)
    return Answer(204, headers=preference_applied(waited=result is not None))


def _band(symbol: str, refused: str) -> dict[str, Any]:
    """The band that the book goes by now, where that is why: it may have moved since entry looked at it."""
    if refused != PRICE_OUTSIDE_BAND:
        return {}
    with components().database.reading_few() as session:
        stock = read_stock(session, symbol, components().settings)
    return {name: stock[name] for name in ("reference_price", "lowest_price", "highest_price")}
