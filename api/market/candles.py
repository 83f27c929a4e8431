"""A stock's candles."""

from datetime import datetime
from typing import Any, Final

from api.access.resource import Resource
from api.access.rights import Access
from api.components import components
from api.http.answers import Answer
from api.http.csv_answers import csv_answer, wants_csv
from api.http.paging import page, position_in
from api.http.paths import STOCK
from api.market.candle_schemas import CandlePageSchema, CandlesQuerySchema
from api.market.reported import reading
from services.market_data.candles.flat_candles import read_filled_candles
from services.market_data.candles.intervals import INTERVALS, zones_of
from services.market_data.candles.read_candles import Span, read_candles
from services.timestamps import microseconds, moment

blueprint = Resource("candles", __name__, url_prefix="/api/v1", description="What was traded, stretch by stretch.")

COLUMNS: Final = ("start", "open", "high", "low", "close", "volume", "vwap", "trade_count", "closed")


@blueprint.open_to(Access.MARKET, f"{STOCK}/candles")
@blueprint.arguments(CandlesQuerySchema, location="query")
@blueprint.response(200, CandlePageSchema)
def get_candles(query: dict[str, Any], symbol: str) -> Answer:
    """A stock's candles, oldest first

    From `from` on, or from the first one. Up to an hour they begin with UTC; a day is the market's own, by its clocks.
    A candle is `closed` once its time is over, whether anything is traded afterwards or not. Busted trades are in none.
    With `fill=true` there are flat ones in gaps between trades. With `Accept: text/csv` the same comes as CSV.
    """
    position = position_in(query["cursor"], 1)
    since = moment(position[0]) if position else query["since"]
    span = Span(INTERVALS[query["interval"]], since, query["until"], zones_of(components().settings))
    read = read_filled_candles if query["fill"] else read_candles
    candles = reading(lambda session: read(session, symbol, span, query["limit"] + 1))
    found = page(candles, query["limit"], lambda _: [microseconds(datetime.fromisoformat(candles[-1]["start"]))])
    if not wants_csv():
        return found
    columns = (*COLUMNS, "filled") if query["fill"] else COLUMNS
    return csv_answer(columns, candles[: query["limit"]], found.headers)
