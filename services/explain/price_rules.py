"""Which rule gave a trade its price."""

from typing import Any, Final

from engine.terms.order_types import LIMITED
from engine.terms.rules import MAKER, SELLER
from services.explain.own_fill import OwnFill
from services.settlement.fees import AUCTION

RULES: Final = (MAKER, SELLER, AUCTION)

SENTENCES: Final = {
    MAKER: "The order that waited sets the price: the {maker} at {price} cents was there first.",
    SELLER: "In this stock a trade has the seller's limit as its price, whoever came first: {price} cents.",
    AUCTION: "The auction ended, and all that could trade did so at one price: {price} cents.",
}


def price_rule_of(fill: OwnFill) -> dict[str, Any]:
    """{rule, sentence}: `maker`, `seller` or `auction`, and the same in plain English."""
    trade = fill.trade
    maker = "bid" if trade.aggressor_side == "ask" else "ask"
    rule = rule_of(fill)
    return {"rule": rule, "sentence": SENTENCES[rule].format(maker=maker, price=trade.price)}


def rule_of(fill: OwnFill) -> str:
    """One of RULES. A sale without a limit takes the bid, also where the seller's price counts."""
    if fill.trade.is_auction:
        return AUCTION
    has_limit = fill.trade.sale_type in LIMITED
    return SELLER if fill.stock.execution_price == SELLER and has_limit else MAKER
