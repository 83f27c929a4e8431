"""List a stock, and look up the rules that its orders must meet."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from database.statements import Statements
from engine.terms.rules import BASIS_POINTS
from engine.terms.states import DELISTED
from models import Asset, Stock
from services.errors import StockDelisted, StockExists, UnknownStock
from settings.sections import MAIN_MARKET, Market


@dataclass(frozen=True, slots=True)
class StockRules:
    """The rules of a stock that are checked when an order comes; prices in cents, the band in basis points.

    `best_ask` is the lowest ask that may trade: one that the band has left behind is cancelled when it is reached.
    """

    id: int
    symbol: str
    group_name: str
    state: str
    tick_size: int
    lot_size: int
    band_bps: int
    reference_price: int | None
    last_price: int | None
    best_ask: int | None


BEST_ASK = f"""
    CASE WHEN state = 'open' AND band_bps > 0
        AND best_ask * {BASIS_POINTS} < reference_price * ({BASIS_POINTS} - band_bps)
    THEN (
        SELECT min(price) FROM orders
        WHERE stock_id = stocks.id AND closed_at IS NULL AND side = 'ask' AND status NOT IN ('pending', 'untriggered')
            AND price * {BASIS_POINTS} >= stocks.reference_price * ({BASIS_POINTS} - band_bps)
    ) ELSE best_ask END
"""  # noqa: S608 - a number of ours
"""The orders are read only while the best ask is below the band, until somebody reaches it: seldom and not for long."""

COLUMNS = ", ".join(BEST_ASK if name == "best_ask" else name for name in StockRules.__slots__)
RULES = text(f"""
    SELECT CAST(json_object_agg(symbol, json_build_array({COLUMNS})) AS text) FROM stocks WHERE symbol = ANY(:symbols)
""")  # noqa: S608 - the names are ours
"""One document: thousands of rows, read once a second, would cost several times as much in Python."""

RULES_BY_ID = text(f"SELECT {COLUMNS} FROM stocks WHERE id = ANY(:ids)")  # noqa: S608


def rules_of(session: Statements, symbols: Iterable[str]) -> dict[str, StockRules]:
    """The rules of these stocks as they are now; unknown symbols are left out."""
    return {symbol: StockRules(*values) for symbol, values in rule_values(session, symbols).items()}


def rule_values(session: Statements, symbols: Iterable[str]) -> dict[str, list[Any]]:
    """The same, each as the values of a StockRules in its fields' order."""
    found = session.scalar(RULES, {"symbols": list(symbols)})
    return orjson.loads(found) if found else {}


def rules_by_id(session: Statements, stock_ids: Iterable[int]) -> dict[int, StockRules]:
    """The rules of these stocks as they are now."""
    rows = session.execute(RULES_BY_ID, {"ids": list(stock_ids)})
    return {row.id: StockRules(*row) for row in rows}


OWN_ACCOUNT = text("SELECT id FROM brokers WHERE id < 0 AND name = :name")
OPEN_OWN_ACCOUNT = text("""
    INSERT INTO brokers (id, name) SELECT least(min(id), 0) - 1, :name FROM brokers
    ON CONFLICT DO NOTHING
""")


def fee_account(session: Statements, group: str) -> int:
    """The exchange's account for the fees of a group of stocks; opened for a group's first stock."""
    name = {"name": f"Fees of {group}"}
    while (found := session.scalar(OWN_ACCOUNT, name)) is None:  # somebody else may just open one
        session.execute(OPEN_OWN_ACCOUNT, name)
    return int(found)


def list_stock(
    session: Session,
    *,
    symbol: str,
    name: str,
    market: Market,
    group: str,
    reference_price: int | None = None,
    session_of: str = MAIN_MARKET,
) -> int:
    """List a stock in `group` with the rules of `market`; its id. `reference_price` in cents, None for no band yet.

    It follows the schedule of the market `session_of`, and is open until a phase begins there. Raises StockExists when
    the symbol is taken, also by a listing at the same moment.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended(:symbol, 0))"), {"symbol": symbol})
    if session.scalar(select(Stock.id).where(Stock.symbol == symbol)) is not None:
        raise StockExists(f"{symbol} is already listed.", field="symbol")
    asset = Asset(code=symbol, kind="stock")
    session.add(asset)
    session.flush()
    stock = Stock(
        id=asset.id,
        symbol=symbol,
        name=name,
        group_name=group,
        fee_account=fee_account(session, group),
        market=session_of,
        tick_size=market.tick_size,
        lot_size=market.lot_size,
        band_bps=market.band_bps,
        execution_price=market.execution_price,
        self_trade_prevention=market.self_trade_prevention,
        band_reference=market.band_reference,
        dynamic_band_bps=market.dynamic_band_bps,
        listing_price=reference_price,
        reference_price=reference_price,
        session_reference=reference_price,
    )
    session.add(stock)
    session.flush()
    return stock.id


def listed_id(session: Statements, symbol: str) -> int:
    """The stock's id. Raises UnknownStock."""
    found = session.scalar(text("SELECT id FROM stocks WHERE symbol = :symbol"), {"symbol": symbol})
    if found is None:
        raise unknown_stock(symbol)
    return int(found)


def refuse_delisted(stocks: Iterable[Any]) -> None:
    """Raises StockDelisted for the first of these (rows with `symbol` and `state`) that is listed no more: no shares of
    it come in."""
    for stock in stocks:
        if stock.state == DELISTED:
            raise StockDelisted(f"{stock.symbol} is listed no more.", field="positions", state=stock.state)


def unknown_stock(symbol: str, field: str | None = None) -> UnknownStock:
    """The refusal of a symbol that is not listed; `field` where a request named it."""
    return UnknownStock(f"There is no stock {symbol}.", field=field)
