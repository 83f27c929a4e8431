"""What those who decide about trades look at."""

import logging
from typing import Any

from api.access.acts import act
from api.access.auth import caller, who
from api.access.resource import Resource
from api.access.rights import Access
from api.clearing.schemas import BustPageSchema, BustQuerySchema, GuaranteeSchema, RejectionSchema
from api.clearing.verdict_schemas import JudgedTradePageSchema, JudgedTradeQuerySchema, JudgedTradeSchema
from api.components import components
from api.http.answers import Answer, answer
from api.http.paging import LARGEST, page, position_in
from services.clearing.read_busts import read_busts, read_guarantee
from services.clearing.read_verdicts import let_stand, read_judged_trade, read_judged_trades

log = logging.getLogger(__name__)

blueprint = Resource("clearing", __name__, url_prefix="/api/v1", description="What those who decide look at.")


def _trade(trade_id: int) -> dict[str, Any]:
    with components().database.reading() as session:
        return read_judged_trade(session, components().settings.clearing.window_seconds, trade_id)


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


@blueprint.open_to(Access.CLEARING, "/clearing/trades")
@blueprint.arguments(JudgedTradeQuerySchema, location="query")
@blueprint.response(200, JudgedTradePageSchema)
def list_judged_trades(query: dict[str, Any]) -> Answer:
    """List trades with what the rules say of them, newest first

    `flagged` are those that break a rule and that nobody has decided about.
    """
    position = position_in(query["cursor"], 1)
    before = position[0] if position else LARGEST
    window = components().settings.clearing.window_seconds
    with components().database.reading() as session:
        found = read_judged_trades(session, window, before, query["limit"] + 1, query["verdict"], query["symbol"])
    return page(found, query["limit"], lambda trade: [trade["trade_id"]])


@blueprint.open_to(Access.CLEARING, "/clearing/trades/<trade_id:trade_id>/stand", "POST")
@blueprint.arguments(RejectionSchema, of=_trade)
@blueprint.response(200, JudgedTradeSchema)
def let_trade_stand(request: dict[str, Any], trade_id: int) -> Answer:
    """Let a trade stand that breaks a rule"""
    with components().database.writing() as session:
        let_stand(session, trade_id, caller().name, request["reason"])
        act(session, "trade.stand", f"trade:{trade_id}", after={"reason": request["reason"]})
    log.info("trade %d stands, says %s", trade_id, who())
    return answer(_trade(trade_id))


@blueprint.open_to(Access.CLEARING, "/clearing/guarantee")
@blueprint.response(200, GuaranteeSchema)
def show_guarantee() -> Answer:
    """Show what the guarantee account has advanced, and who owes it

    The sum of what brokers owe, always.
    """
    with components().database.reading() as session:
        return answer(read_guarantee(session, components().settings.clearing.guarantee_limit))
