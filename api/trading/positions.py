"""Close positions: sell what is held, or buy back what was sold short, whatever one's own orders hold of it."""

from typing import Any, cast

from api.access.auth import broker_id, refuse_suspended
from api.access.resource import Resource
from api.access.rights import Access
from api.components import components
from api.http.answers import Answer, answer
from api.http.errors import problem_of
from api.trading.command_results import PREFER, awaited, preference_applied, result_of
from api.trading.order_schemas import OrderSchema
from api.trading.position_schemas import ClosedPositionsSchema
from services.errors import MarketError
from services.order_entry.changing.close_positions import Closing
from services.order_entry.read_orders import read_order, still_pending
from services.order_entry.requests import QueuedCommand

blueprint = Resource("positions", __name__, url_prefix="/api/v1", description="Close what one holds.")


@blueprint.open_to(Access.TRADE, "/positions/<symbol:symbol>", "DELETE")
@blueprint.doc(parameters=[PREFER])
@blueprint.response(201, OrderSchema, description="The order that closes it, as it stands once the book has taken it.")
def close_position(symbol: str) -> Answer:
    """Close a position

    Cancels one's own orders of that side in this stock, and enters a market order for all that is held, in one step.
    What the market does not take of it expires, and the position is smaller then. The order is `rejected` where nothing
    is left to close when its turn comes, or a short cannot be paid for; only then the cancels stand alone.
    """
    refuse_suspended()
    with components().replies.expect() as reply:
        (closing,) = components().intake.close(broker_id(), symbol, reply.address)
        if isinstance(closing.asked, MarketError):
            raise closing.asked
        queued = closing.asked
        result = result_of(cast(int, queued.command_id), reply)
    with components().database.reading_few() as session:
        order = read_order(session, broker_id(), queued.order_id)
    headers = {"Location": f"/api/v1/orders/{queued.order_id}", **preference_applied(waited=result is not None)}
    return answer(order, 201, headers)


@blueprint.open_to(Access.TRADE, "/positions", "DELETE")
@blueprint.doc(parameters=[PREFER])
@blueprint.response(201, ClosedPositionsSchema, description="What became of each position.")
@blueprint.alt_response(200, schema=ClosedPositionsSchema, description="None of them is being closed.")
def close_positions() -> Answer:
    """Close all positions

    Each as if it had been closed alone. One that is refused, such as that of a halted stock, stays as it is and does
    not keep the others back.
    """
    refuse_suspended()
    with components().replies.expect() as reply:
        closings = components().intake.close(broker_id(), None, reply.address)
        orders = [closing.asked.order_id for closing in closings if isinstance(closing.asked, QueuedCommand)]
        done = not orders or awaited(lambda session: not still_pending(session, orders) or None, reply) is not None
    items = [_item(closing) for closing in closings]
    return answer({"items": items}, 201 if orders else 200, preference_applied(waited=done))


def _item(closing: Closing) -> dict[str, Any]:
    asked = closing.asked
    if isinstance(asked, MarketError):
        return {"symbol": closing.symbol, "order_id": None, "refusal": problem_of(asked)}
    return {"symbol": closing.symbol, "order_id": asked.order_id, "refusal": None}
