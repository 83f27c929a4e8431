"""Listed stocks: list one, look at them."""

import dataclasses
from datetime import UTC, datetime
from typing import Any

from api.access.acts import act
from api.access.resource import Resource
from api.access.rights import Access
from api.components import components
from api.http.answers import Answer, answer
from api.http.paging import page, position_in
from api.http.paths import STOCK
from api.http.problems import InvalidRequest
from api.market.stock_schemas import NewStockSchema, StockPageSchema, StockQuerySchema, StockSchema
from services.stocks.listing import list_stock
from services.stocks.read_stocks import read_stock, read_stocks
from services.stocks.run_schedule import enter_present_phase
from settings.sections import MAIN_MARKET

blueprint = Resource("stocks", __name__, url_prefix="/api/v1", description="What is traded, and by which rules.")

RULES = {
    "tick_size": "tick_size",
    "lot_size": "lot_size",
    "band": "band_bps",
    "band_reference": "band_reference",
    "dynamic_band": "dynamic_band_bps",
    "execution_price": "execution_price",
    "self_trade_prevention": "self_trade_prevention",
}
"""A stock's rules, and what the settings call them."""


@blueprint.open_to(Access.ADMIN, "/stocks", "POST")
@blueprint.arguments(NewStockSchema)
@blueprint.response(201, StockSchema)
def list_new_stock(request: dict[str, Any]) -> Answer:
    """List a stock"""
    settings = components().settings
    rules = {setting: request[name] for name, setting in RULES.items() if name in request}
    market = dataclasses.replace(settings.market, **rules)
    symbol, reference = request["symbol"], request["reference_price"]
    group = request["group"] or settings.match.groups[0]
    session_of = request["market"] or MAIN_MARKET
    errors = {}
    if session_of not in (markets := (MAIN_MARKET, *settings.sessions)):
        errors["market"] = [f"Must be one of: {', '.join(markets)}."]
    if group not in settings.match.groups:
        errors["group"] = [f"Must be one of: {', '.join(settings.match.groups)}."]
    if reference is not None and (reference % market.tick_size or reference > market.max_price):
        errors["reference_price"] = [f"Must be a multiple of {market.tick_size}, at most {market.max_price}."]
    if errors:
        raise InvalidRequest(errors=errors)
    with components().database.writing() as session:
        list_stock(
            session,
            symbol=symbol,
            name=request["name"] or symbol,
            market=market,
            group=group,
            session_of=session_of,
            reference_price=reference,
        )
        enter_present_phase(session, symbol, settings.session_of(session_of), datetime.now(UTC))
        stock = read_stock(session, symbol, settings)
        act(session, "stock.list", f"stock:{symbol}", after=request)
    return answer(stock, 201, {"Location": f"/api/v1/stocks/{symbol}"})


@blueprint.open_to(Access.MARKET, "/stocks")
@blueprint.arguments(StockQuerySchema, location="query")
@blueprint.response(200, StockPageSchema)
def list_stocks(query: dict[str, Any]) -> Answer:
    """All listed stocks, by symbol, or those that are named

    With their last prices and their best bids and asks: the quotes of several stocks in one call.
    """
    settings = components().settings
    position = position_in(query["cursor"], 0, 1)
    after = position[0] if position else ""
    with components().database.reading() as session:
        stocks = read_stocks(session, after, query["limit"] + 1, settings, query["symbols"] or ())
    return page(stocks, query["limit"], lambda stock: [stock["symbol"]])


@blueprint.open_to(Access.MARKET, STOCK)
@blueprint.response(200, StockSchema)
def get_stock(symbol: str) -> Answer:
    """One stock: state, rules, reference and last price"""
    settings = components().settings
    with components().database.reading_few() as session:
        return answer(read_stock(session, symbol, settings))
