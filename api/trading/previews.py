"""What an order would come to, before it is placed."""

from datetime import UTC, datetime
from typing import Any

from api.access.auth import broker_id, refuse_suspended
from api.access.resource import Resource
from api.access.rights import Access
from api.components import components
from api.http.answers import Answer, answer
from api.http.errors import problem_of
from api.trading.orders import new_order
from api.trading.preview_schemas import PreviewedSchema, PreviewSchema
from services.order_entry.changing.amendments import Amendment
from services.order_entry.requests import OrderRequest
from services.preview.preview import preview_order
from services.preview.preview_amendment import preview_amendment

blueprint = Resource("previews", __name__, url_prefix="/api/v1", description="What an order would come to.")


@blueprint.open_to(Access.TRADE, "/orders/preview", "POST")
@blueprint.arguments(PreviewSchema)
@blueprint.response(200, PreviewedSchema)
def preview(request: OrderRequest | dict[str, Any]) -> Answer:
    """What an order, or an amendment, would reserve, cost and pay, and why it would be refused

    Nothing is stored, and no `client_order_id` is used up. With an `order_id` it is an amendment of that order. What
    would trade is told by the book that everybody sees, so icebergs may fill more of it.
    """
    refuse_suspended()
    used, now = components(), datetime.now(UTC)
    with used.database.reading() as session:
        if isinstance(request, OrderRequest):
            found = preview_order(session, new_order(request), used.settings, now)
        else:
            found = preview_amendment(session, Amendment(broker_id(), **request), used.settings, now)
    refusal = problem_of(found.refusals[0]) if found.refusals else None
    return answer({"refusal": refusal, **found.document()})
