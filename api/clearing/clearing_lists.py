"""What those who decide about trades look at."""

from typing import Any

from api.access.resource import Resource
from api.access.rights import Access
from api.clearing.schemas import BustPageSchema, BustQuerySchema, GuaranteeSchema
from api.components import components
from api.http.answers import Answer, answer
from api.http.paging import LARGEST, page, position_in
from services.clearing.read_busts import read_busts, read_guarantee

blueprint = Resource("clearing", __name__, url_prefix="/api/v1", description="What those who decide look at.")


@blueprint.open_to(Access.CLEARING, "/clearing/busts")
@blueprint.arguments(BustQuerySchema, location="query")
@blueprint.response(200, BustPageSchema)
def list_busts(query: dict[str, Any]) -> Answer:
    """List what was asked for of trades, newest first

    By whom and why, who has confirmed or rejected it, and what its debtors lacked.
    """
    position = position_in(query["cursor"], 1)
    before = position[0] if position else LARGEST
    window = components().settings.clearing.window_seconds
    with components().database.reading() as session:
        found = read_busts(session, window, before, query["limit"] + 1, query["status"], query["symbol"])
    return page(found, query["limit"], lambda bust: [bust["bust_id"]])


@blueprint.open_to(Access.CLEARING, "/clearing/guarantee")
@blueprint.response(200, GuaranteeSchema)
def show_guarantee() -> Answer:
    """Show what the guarantee account has advanced, and who owes it

    The sum of what brokers owe, always.
    """
    with components().database.reading() as session:
        return answer(read_guarantee(session, components().settings.clearing.guarantee_limit))
