"""Market data of one stock: price, book, tape and events."""

from typing import Any

from api.access.resource import Resource
from api.access.rights import Access
from api.components import components
from api.http.answers import Answer, answer
from api.http.paging import LARGEST, PageQuerySchema, page, position_in
from api.http.paths import STOCK
from api.market.market_data_schemas import (
    BookEntrySchema,
    BookSchema,
    DepthQuerySchema,
    EventPageSchema,
    EventsQuerySchema,
    IndicativePageSchema,
    PriceQuerySchema,
    PriceSchema,
    TradePageSchema,
)
from services.market_data.book import read_entry
from services.market_data.trades import read_events, read_indicatives, read_price, read_series, read_trades

blueprint = Resource("market data", __name__, url_prefix="/api/v1", description="Prices, books and tapes.")


@blueprint.open_to(Access.MARKET, f"{STOCK}/price")
@blueprint.arguments(PriceQuerySchema, location="query")
@blueprint.response(200, PriceSchema)
def get_price(query: dict[str, Any], symbol: str) -> Answer:
    """Last price, and the average of the latest trades

    Every trade counts alike. `trades_in_average` says how many there were.
    """
    with components().database.reading_few() as session:
        return answer(read_price(session, symbol, query["trades"]))


@blueprint.open_to(Access.MARKET, f"{STOCK}/book")
@blueprint.arguments(DepthQuerySchema, location="query")
@blueprint.response(200, BookSchema)
def get_book(query: dict[str, Any], symbol: str) -> Answer:
    """The book's best levels, or with `group` levels of so many ticks

    In an auction market orders are a level without a price, before the others.
    """
    depth, group = query["depth"], query["group"]
    if group is not None:
        with components().database.reading() as session:
            return Answer(body=components().books.grouped(session, symbol, depth, group))
    with components().database.reading_few() as session:
        return Answer(body=components().books.answer(session, symbol, depth))


@blueprint.open_to(Access.MARKET, f"{STOCK}/book/<order_id:order_id>")
@blueprint.response(200, BookEntrySchema)
def get_book_entry(symbol: str, order_id: int) -> Answer:
    """One entry of the book, and its place in the queue"""
    with components().database.reading() as session:
        return answer(read_entry(session, symbol, order_id))


@blueprint.open_to(Access.MARKET, f"{STOCK}/trades")
@blueprint.arguments(PageQuerySchema, location="query")
@blueprint.response(200, TradePageSchema)
def get_trades(query: dict[str, Any], symbol: str) -> Answer:
    """The tape, newest trade first"""
    position = position_in(query["cursor"], 1) or [LARGEST]
    with components().database.reading() as session:
        trades = read_trades(session, symbol, position[0], query["limit"] + 1)
    return page(trades, query["limit"], lambda trade: [trade["sequence"]])


@blueprint.open_to(Access.MARKET, f"{STOCK}/indicative")
@blueprint.arguments(PageQuerySchema, location="query")
@blueprint.response(200, IndicativePageSchema)
def get_indicatives(query: dict[str, Any], symbol: str) -> Answer:
    """What the stock's auctions would have brought, as it was told, newest first"""
    position = position_in(query["cursor"], 1) or [LARGEST]
    with components().database.reading() as session:
        found = read_indicatives(session, symbol, position[0], query["limit"] + 1)
    places = [each.pop("place") for each in found]
    return page(found, query["limit"], lambda _: [places[query["limit"] - 1]])


@blueprint.open_to(Access.MARKET, f"{STOCK}/events")
@blueprint.arguments(EventsQuerySchema, location="query")
@blueprint.response(200, EventPageSchema)
def get_events(query: dict[str, Any], symbol: str) -> Answer:
    """The events after a sequence, oldest first

    Sequences have no gaps: whoever missed some events asks for them here. 410 `start_anew` where nobody can go on from
    there: the numbers have begun anew, or the number has not been given yet.
    """
    (after,) = position_in(query["cursor"], 1) or [query["after"]]
    with components().database.reading() as session:
        series = read_series(session, symbol)
        series.go_on(after, query["epoch"])
        events = read_events(session, symbol, after, query["limit"] + 1)
    return page(events, query["limit"], lambda event: [event["sequence"]], epoch=series.epoch)
