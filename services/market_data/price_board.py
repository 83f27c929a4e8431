"""What the room `prices` hears: each stock's price, as it was last."""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import text

from database.literals import numbers
from database.statements import Statements
from services.market_data.tickers import change
from services.prices import STANDING_PRICE, average_price
from services.timestamps import timestamp

TRADES_IN_AVERAGE: Final = 50
"""As of `GET /stocks/{symbol}/price`, where nothing is said."""

CHANGED: Final = text("""
    SELECT id, symbol, book_version FROM stocks
    WHERE CAST(:seconds AS bigint) IS NULL OR sequenced_at >= clock_timestamp() - :seconds * interval '1 second'
""")

PRICES: Final = text(f"""
    SELECT s.id, s.symbol, s.book_version, s.last_price, s.best_bid, s.best_ask, s.event_sequence,
        coalesce(s.sequenced_at, s.listed_at) AS at, s.session_reference,
        CASE WHEN r.is_auction AND r.session_sequence = s.session_sequence THEN r.open END AS opened, a.total, a.trades
    FROM stocks s LEFT JOIN reported_stocks r ON r.stock_id = s.id
    LEFT JOIN LATERAL (
        SELECT CAST(sum(latest.price) AS bigint) AS total, count(*) AS trades
        FROM (
            SELECT {STANDING_PRICE} AS price FROM trades t
            WHERE t.stock_id = s.id AND t.busted_at IS NULL ORDER BY t.sequence DESC LIMIT :average
        ) latest
    ) a ON s.id = ANY(CAST(:traded AS bigint[]))
    WHERE s.id = ANY(CAST(:ids AS bigint[])) AND s.state <> 'delisted' ORDER BY s.symbol
""")  # noqa: S608 - a constant


class Price(NamedTuple):
    """The payload of PRICE for a stock, and of which version of its book it tells."""

    id: int
    book_version: int
    payload: dict[str, Any]


EVERYBODY: Final = text("SELECT id FROM stocks WHERE state <> 'delisted'")


def all_prices(session: Statements) -> list[dict[str, Any]]:
    """The payloads of PRICE of all listed stocks."""
    ids = list(session.scalars(EVERYBODY))
    return [price.payload for price in read_prices(session, ids, ids)]


def changed_stocks(session: Statements, seconds: int | None) -> Sequence[Any]:
    """{id, symbol, book_version} of the stocks that had a turn in the last so many seconds, or of all."""
    found: Sequence[Any] = session.execute(CHANGED, {"seconds": seconds}).all()
    return found


def read_prices(session: Statements, ids: Collection[int], traded: Collection[int]) -> Iterator[Price]:
    """The prices of these stocks; the average only of those that have `traded`.

    Prices in cents; `change` against the session's reference, as in a ticker's `session`.
    """
    values = {"ids": numbers(list(ids)), "traded": numbers(list(traded)), "average": TRADES_IN_AVERAGE}
    for row in session.execute(PRICES, values):
        base = row.session_reference if row.opened is None else row.opened
        average = {} if row.trades is None else {"average_price": average_price(row.total or 0, row.trades)}
        payload = {
            "symbol": row.symbol,
            "last_price": row.last_price,
            **average,
            "bid": row.best_bid,
            "ask": row.best_ask,
            **change(row.last_price, base),
            "sequence": row.event_sequence,
            "at": timestamp(row.at),
        }
        yield Price(row.id, row.book_version, payload)
