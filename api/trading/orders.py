"""Place orders and look at them."""

from collections.abc import Iterable
from typing import Any, Final

from api.access.auth import broker_id, caller, refuse_suspended
from api.access.resource import Resource
from api.access.rights import Access
from api.components import components
from api.http.answers import Answer, answer
from api.http.paging import page, position_in
from api.http.paths import ORDER
from api.http.preferences import preferences
from api.runtime.waiting import wait_for
from api.trading.new_order_schemas import NewOrderSchema
from api.trading.order_schemas import OrderFilterSchema, OrderPageSchema, OrderSchema, PlacedSchema
from queues.replies import Expected
from services.market_data.places import read_places
from services.order_entry.placing.answers import Placed
from services.order_entry.read_orders import OrderFilter, read_order, read_orders
from services.order_entry.requests import NewOrder, OrderRequest

blueprint = Resource("orders", __name__, url_prefix="/api/v1", description="One's own orders.")

PREFER_WAIT = {
    "in": "header",
    "name": "Prefer",
    "schema": {"type": "string"},
    "description": "`wait=N`: answer after matching, with the fills, or after N seconds (RFC 7240).",
}


@blueprint.open_to(Access.TRADE, "/orders", "POST")
@blueprint.doc(parameters=[PREFER_WAIT])
@blueprint.arguments(NewOrderSchema)
@blueprint.response(201, PlacedSchema, description="Stored and reserved.")
@blueprint.alt_response(200, schema=PlacedSchema, description="The same client_order_id again: the first answer.")
def place_order(request: OrderRequest) -> Answer:
    """Place an order

    The money or the shares are reserved and the order is stored before it is answered. The same `client_order_id`
    with the same order gets the first answer again; with another order it is refused.
    """
    refuse_suspended()
    seconds = min(preferences().wait or 0, components().settings.web.max_wait_seconds)
    if not seconds:
        return _placed(request, _place(request))
    with components().replies.expect() as reply:
        placed = _place(request, reply.address)
        return _placed_and_matched(placed, reply, seconds)


@blueprint.open_to(Access.ORDERS, "/orders")
@blueprint.arguments(OrderFilterSchema, location="query")
@blueprint.response(200, OrderPageSchema)
def list_orders(query: dict[str, Any]) -> Answer:
    """List one's orders, newest first

    With `place=true` each says where it stands: how many orders there are at its price, which place it has among them,
    and how many shares stand before it; null for those that are in no queue.
    """
    limit, cursor, with_places = query.pop("limit"), query.pop("cursor"), query.pop("place")
    before = position_in(cursor, 1)
    wanted = OrderFilter(before=before[0] if before else None, **query)
    with components().database.reading() as session:
        orders: Iterable[dict[str, Any]] = read_orders(session, broker_id(), wanted, limit + 1)
        if with_places:
            orders = list(orders)
            places = read_places(session, [order["order_id"] for order in orders])
            orders = [{**order, **(places.get(order["order_id"]) or NO_PLACE)} for order in orders]
    return page(orders, limit, lambda order: [order["order_id"]])


@blueprint.open_to(Access.ORDERS, ORDER)
@blueprint.response(200, OrderSchema)
def get_order(order_id: int) -> Answer:
    """One order, with its fills"""
    with components().database.reading_few() as session:
        return answer(read_order(session, broker_id(), order_id))


NO_PLACE: Final = dict.fromkeys(("place", "orders_at_price", "quantity_ahead"))
"""Of an order that waits in no queue."""


def _place(request: OrderRequest, reply_to: str | None = None) -> Placed:
    return components().intake.place_one(new_order(request, reply_to))


def new_order(request: OrderRequest, reply_to: str | None = None) -> NewOrder:
    """The order of whoever calls."""
    who = caller()
    return NewOrder(broker_id(), request, reply_to, who.is_guest, who.rates)


def placed_document(request: OrderRequest, placed: Placed) -> tuple[dict[str, Any], int]:
    """The body of the answer to a placed order (PlacedSchema), and its HTTP status."""
    document = {"order_id": placed.order_id, "status": placed.status, "client_order_id": request.client_order_id}
    return document, 200 if placed.known else 201


def _placed(request: OrderRequest, placed: Placed) -> Answer:
    return answer(*placed_document(request, placed), _location(placed))


def _placed_and_matched(placed: Placed, reply: Expected, seconds: int) -> Answer:
    broker = broker_id()

    def look() -> dict[str, Any]:
        with components().database.reading_few() as session:
            return read_order(session, broker, placed.order_id)

    with components().waiting_room.seat() as seated:
        order = wait_for(look, _is_matched, seconds if seated else 0, None if placed.known else reply)
    headers = {**_location(placed), "Preference-Applied": f"wait={seconds}"}
    return answer(order, 200 if placed.known else 201, headers)


def _is_matched(order: dict[str, Any]) -> bool:
    return bool(order["status"] != "pending")


def _location(placed: Placed) -> dict[str, str]:
    return {"Location": f"/api/v1/orders/{placed.order_id}"}
