"""One's own account: cash, holdings and fills."""

from typing import Any

from flask import Response

from api.access.auth import Access, broker_id
from api.access.resource import Resource
from api.accounts.account_schemas import BalanceSchema, PortfolioSchema
from api.components import components
from api.http.answers import answer
from api.http.paging import LARGEST, page, position_in
from api.market.market_data_schemas import OwnFillPageSchema
from api.market.stock_schemas import PageQuerySchema
from services.accounts.read_accounts import read_balance, read_fills, read_portfolio

blueprint = Resource("accounts", __name__, url_prefix="/api/v1", description="Cash, holdings and fills.")

NEWEST = (LARGEST, "")
"""Before this every fill comes."""


@blueprint.open_to(Access.BROKER, "/balance")
@blueprint.response(200, BalanceSchema)
def get_balance() -> Response:
    """Cash: what trades brought, what is available, what is reserved"""
    with components().database.reading() as session:
        return answer(read_balance(session, broker_id()))


@blueprint.open_to(Access.BROKER, "/portfolio")
@blueprint.response(200, PortfolioSchema)
def get_portfolio() -> Response:
    """Holdings at average cost, with profit and loss"""
    with components().database.reading() as session:
        return answer(read_portfolio(session, broker_id()))


@blueprint.open_to(Access.BROKER, "/trades")
@blueprint.arguments(PageQuerySchema, location="query")
@blueprint.response(200, OwnFillPageSchema)
def list_fills(query: dict[str, Any]) -> Response:
    """One's own fills, newest first"""
    position = position_in(query["cursor"], 1, 1) or NEWEST
    with components().database.reading() as session:
        fills = read_fills(session, broker_id(), (position[0], position[1]), query["limit"] + 1)
    return page(fills, query["limit"], lambda fill: [fill["trade_id"], fill["side"]])
