"""What a stock's last price is once trades of it do not stand as they were told."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import text

from database.statements import Statements

LATEST: Final = text("""
    SELECT id, coalesce(adjusted_price, price) AS price FROM trades
    WHERE stock_id = :stock_id AND busted_at IS NULL ORDER BY sequence DESC LIMIT :limit
""")


class StandingTrades:
    """The latest trades of a stock that stand, as corrections leave them: enough for so many of these."""

    def __init__(self, session: Statements, stock_id: int, corrections: int) -> None:
        rows = session.execute(LATEST, {"stock_id": stock_id, "limit": corrections + 1})
        self._prices = {row.id: row.price for row in rows}

    def correct(self, trade_id: int, new_price: int | None) -> None:
        """The trade is taken back, or stands at `new_price` (cents)."""
        if trade_id not in self._prices:
            return
        if new_price is None:
            del self._prices[trade_id]
        else:
            self._prices[trade_id] = new_price

    @property
    def last_price(self) -> int | None:
        """Cents of the last one that stands; None where none does."""
        return next(iter(self._prices.values()), None)


def standing_trades(session: Statements, corrections: Mapping[int, int]) -> dict[int, StandingTrades]:
    """Those of each of these stocks, enough for so many corrections of it."""
    return {stock_id: StandingTrades(session, stock_id, count) for stock_id, count in corrections.items()}
