"""A broker traded more often within a second than somebody does who means it."""

from typing import Final

from services.clearing.rules.rule import Figures, JudgedTrade, Rule
from settings.clearing import Clearing


def figures(trade: JudgedTrade, terms: Clearing) -> Figures | None:
    """{side, limit}: whose trades within the second up to this one, it included, are too many."""
    for side, trades in (("bid", trade.buyer_trades), ("ask", trade.seller_trades)):
        if trades > terms.trades_per_second:
            return {"side": side, "limit": terms.trades_per_second}
    return None


RULE: Final = Rule("burst", figures)
