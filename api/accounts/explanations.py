"""How one's own fills came about."""

from typing import Final

from api.access.auth import broker_id
from api.access.resource import Resource
from api.access.rights import Access
from api.accounts.explanation_schemas import ExplanationSchema
from api.components import components
from api.http.answers import Answer, answer
from services.explain.explain import explain
from services.explain.own_fill import OwnFill, read_own_fill
from serving.present import pause

blueprint = Resource("explanations", __name__, url_prefix="/api/v1", description="How fills came about.")

TRADE: Final = "/trades/<trade_id:trade_id>"


def _own_fill(trade_id: int) -> OwnFill:
    with components().database.reading_few() as session:
        return read_own_fill(session, broker_id(), trade_id)


@blueprint.open_to(Access.READ, f"{TRADE}/explain", of=_own_fill)
@blueprint.response(200, ExplanationSchema)
def explain_fill(trade_id: int) -> Answer:
    """How a fill of one's own came about

    The book is put together as it was, the command that brought the trade is carried out once more, and what comes of
    it is held against what was stored. Others' orders have no owner, id or fee, and of icebergs only the parts that
    showed. Where a broker was on both sides, its fill is the aggressor's, in an auction the buyer's.
    """
    used = components()
    fill = _own_fill(trade_id)
    with used.rebuilds.turn():
        return answer(explain(fill, used.database.reading, pause))
