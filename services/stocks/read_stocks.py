"""Listed stocks as the API shows them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import text

from database.statements import Statements
from engine.terms.codes import VOLATILITY
from engine.terms.rules import band_limits
from engine.terms.states import AUCTION
from services.prices import indicative
from services.stocks.listing import unknown_stock
from services.stocks.next_state import BY_SCHEDULE, next_state
from services.stocks.schedule import AUCTIONS
from services.stocks.state_facts import state_facts
from services.timestamps import timestamp
from settings.sections import Market, Settings

ONE = text("SELECT * FROM stocks WHERE symbol = :symbol")
PAGE = text("SELECT * FROM stocks WHERE symbol > :after AND state <> 'delisted' ORDER BY symbol LIMIT :limit")
NAMED = text("SELECT * FROM stocks WHERE symbol > :after AND symbol = ANY(:symbols) ORDER BY symbol LIMIT :limit")

OUTSIDE = text("SELECT symbol, group_name FROM stocks WHERE group_name <> ALL(:groups) ORDER BY symbol LIMIT 1")

PRICE_SCALE = 2
"""Prices are whole numbers of the currency's smallest unit, of which 10 to this power make one."""


def read_stock(session: Statements, symbol: str, settings: Settings) -> dict[str, Any]:
    """One stock. Raises UnknownStock."""
    stock = session.execute(ONE, {"symbol": symbol}).one_or_none()
    if stock is None:
        raise unknown_stock(symbol)
    return stock_document(stock, settings)


def read_stocks(
    session: Statements, after: str, limit: int, settings: Settings, symbols: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """At most `limit` listed stocks with symbols behind `after`, in the order of their symbols.

    Where `symbols` are named, only these, those that are listed no more included; unknown ones are left out.
    """
    named = {"symbols": list(symbols)} if symbols else {}
    rows = session.execute(NAMED if symbols else PAGE, {"after": after, "limit": limit, **named})
    return [stock_document(stock, settings) for stock in rows]


def stock_outside(session: Statements, groups: Sequence[str]) -> tuple[str, str] | None:
    """The first stock, as (symbol, group), that is in none of these groups, and so would never be matched; or None."""
    row = session.execute(OUTSIDE, {"groups": list(groups)}).one_or_none()
    return None if row is None else (row.symbol, row.group_name)


def stock_document(stock: Any, settings: Settings) -> dict[str, Any]:
    """A stock's rules and state: prices in cents, the band in basis points, quantities in shares."""
    market = settings.market
    lowest, highest = price_limits(stock, market)
    since = stock.state_since or stock.listed_at
    return {
        "symbol": stock.symbol,
        "name": stock.name,
        "state": stock.state,
        "state_reason": stock.state_reason,
        "state_since": timestamp(stock.state_since),
        "since": timestamp(since),
        "reason": stock.state_reason,
        "set_by": stock.state_set_by or BY_SCHEDULE,
        **state_facts(stock, stock.state, stock.state_reason, since, (lowest, highest), settings),
        "auction_ends_at": timestamp(_end_of_auction(stock, since, settings)),
        "indicative": indicative(stock),
        "currency": settings.exchange.currency,
        "price_scale": PRICE_SCALE,
        "tick_size": stock.tick_size,
        "lot_size": stock.lot_size,
        "smallest_quantity": stock.lot_size,
        "band": stock.band_bps,
        "band_reference": stock.band_reference,
        "dynamic_band": stock.dynamic_band_bps,
        "reference_price": stock.reference_price,
        "lowest_price": lowest,
        "highest_price": highest,
        "last_price": stock.last_price,
        "best_bid": stock.best_bid,
        "best_ask": stock.best_ask,
        "execution_price": stock.execution_price,
        "self_trade_prevention": stock.self_trade_prevention,
        "group": stock.group_name,
        "market": stock.market,
    }


def price_limits(stock: Any, market: Market) -> tuple[int, int]:
    """The lowest and the highest price (cents) that an order for this stock may have now."""
    lowest, highest = band_limits(stock.reference_price, stock.band_bps, stock.tick_size)
    return lowest, min(highest, market.max_price)


def _end_of_auction(stock: Any, since: datetime, settings: Settings) -> datetime | None:
    """When an auction ends at the earliest: a scheduled one ends at random after that, an operator's nobody knows."""
    if stock.state != AUCTION or stock.state_reason not in (VOLATILITY, *AUCTIONS):
        return None
    return next_state(settings.session_of(stock.market), stock.state, stock.state_reason, since).until
