"""The trade is of more shares, or worth more, than a trade should be."""

from typing import Final

from services.clearing.rules.rule import Figures, JudgedTrade, Rule
from settings.clearing import Clearing


def figures(trade: JudgedTrade, terms: Clearing) -> Figures | None:
    """What is too large, and the limit: shares, or cents."""
    if terms.quantity_above and trade.quantity > terms.quantity_above:
        return {"quantity": trade.quantity, "limit": terms.quantity_above}
    if terms.notional_above and trade.notional > terms.notional_above:
        return {"notional": trade.notional, "limit": terms.notional_above}
    return None


RULE: Final = Rule("size", figures)
