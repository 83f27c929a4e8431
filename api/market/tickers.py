"""Prices and what was traded: of one stock, of several, of all."""

from collections.abc import Collection
from typing import Any

import orjson

from api.access.resource import Resource
from api.access.rights import Access
from api.components import components
from api.http.answers import Answer, answer
from api.http.paths import STOCK
from api.market.candle_schemas import (
    SparklinesQuerySchema,
    SparklinesSchema,
    TickerSchema,
    TickersQuerySchema,
    TickersSchema,
)
from api.market.reported import reading
from services.market_data.candles.intervals import INTERVALS
from services.market_data.tickers import read_tickers
from services.stocks.listing import unknown_stock

blueprint = Resource("tickers", __name__, url_prefix="/api/v1", description="Prices, and what was traded.")


@blueprint.open_to(Access.MARKET, f"{STOCK}/ticker")
@blueprint.response(200, TickerSchema)
def get_ticker(symbol: str) -> Answer:
    """A stock's prices, the best of its book, and what was traded

    `day` is the last 24 hours: its `change` is against the last price before them, else the first one within. `session`
    is since the opening or the roll of the day, against the reference.
    """
    found = reading(lambda session: read_tickers(session, [symbol]))
    if not found:
        raise unknown_stock(symbol)
    return answer(found[0])


@blueprint.open_to(Access.MARKET, "/ticker")
@blueprint.arguments(TickersQuerySchema, location="query")
@blueprint.response(200, TickersSchema)
def list_tickers(query: dict[str, Any]) -> Answer:
    """The tickers of several stocks, or of all

    By symbol; what is not listed is left out. All of them are of one moment.
    """
    symbols = query["symbols"]
    if symbols is None:
        return Answer(body=components().all_tickers.answer(lambda: _items(None)))
    return Answer(body=_items(symbols))


def _items(symbols: Collection[str] | None) -> bytes:
    return orjson.dumps({"items": reading(lambda session: read_tickers(session, symbols)), "next_cursor": None})


@blueprint.open_to(Access.MARKET, "/sparklines")
@blueprint.arguments(SparklinesQuerySchema, location="query")
@blueprint.response(200, SparklinesSchema)
def list_sparklines(query: dict[str, Any]) -> Answer:
    """How each stock's price has come here

    The prices at the ends of the last intervals, oldest first, and at last now: of all listed stocks in one answer. It
    may be some seconds old.
    """
    return Answer(body=components().sparklines.answer(INTERVALS[query["interval"]], query["points"]))
