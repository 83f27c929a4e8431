"""The stock did not trade at that time. The auction that ends a halt is no such trade."""

from typing import Final

from engine.terms.states import CLOSED, HALTED, PRE_OPEN
from services.clearing.rules.rule import Figures, JudgedTrade, Rule
from settings.clearing import Clearing

SILENT: Final = (HALTED, CLOSED, PRE_OPEN)


def figures(trade: JudgedTrade, terms: Clearing) -> Figures | None:
    """{state}: that in which nothing trades."""
    return {"state": trade.state} if trade.state in SILENT and not trade.is_auction else None


RULE: Final = Rule("halted", figures)
