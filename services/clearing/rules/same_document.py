"""The same end customer is on both sides, perhaps through two brokers: nothing changed hands."""

from typing import Final

from services.clearing.rules.rule import Figures, JudgedTrade, Rule
from settings.clearing import Clearing


def figures(trade: JudgedTrade, terms: Clearing) -> Figures | None:
    """Nothing but that it is so: whose document it is stays with the brokers."""
    return {} if trade.buyer_document and trade.buyer_document == trade.seller_document else None


RULE: Final = Rule("same_document", figures)
