"""The levels that an order met as far as its trades tell of them, where the book of the moment cannot be had."""

from itertools import groupby
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from engine.terms.rules import MAKER
from services.explain.own_fill import OwnFill
from services.explain.price_rules import rule_of

MOST_TRADES: Final = 1_000
"""Trades of one order that are looked at on either side of the one that is asked about."""

TRADES: Final = text(f"""
    SELECT id, sequence, price, quantity, buy_order_id, sell_order_id, buyer_id, seller_id FROM trades
    WHERE stock_id = :stock_id AND command_sequence = :command_sequence AND NOT is_auction
        AND CASE :aggressor_side WHEN 'bid' THEN buy_order_id ELSE sell_order_id END = :aggressor_id
        AND sequence BETWEEN :sequence - {MOST_TRADES} AND :sequence + {MOST_TRADES}
    ORDER BY sequence
""")  # noqa: S608 - a constant of this file


def tape_levels(session: Statements, fill: OwnFill) -> list[dict[str, Any]]:
    """Each price at which the order traded, and what it took there; what else stood in those queues is not known.

    None where the price is no level's: that of an auction, or of the seller.
    """
    trade = fill.trade
    if rule_of(fill) != MAKER:
        return []
    is_bid = trade.aggressor_side == "bid"
    values = {
        "stock_id": trade.stock_id,
        "command_sequence": trade.command_sequence,
        "aggressor_side": trade.aggressor_side,
        "aggressor_id": trade.buy_order_id if is_bid else trade.sell_order_id,
        "sequence": trade.sequence,
    }
    rows = session.execute(TRADES, values).all()
    return [
        {
            "price": price,
            "total_quantity": None,
            "order_count": None,
            "orders": [_place(fill, row, is_bid) for row in at_price],
            "more_orders": True,
        }
        for price, at_price in groupby(rows, key=lambda row: row.price)
    ]


def _place(fill: OwnFill, row: Any, is_bid: bool) -> dict[str, Any]:
    maker, owner = (row.sell_order_id, row.seller_id) if is_bid else (row.buy_order_id, row.buyer_id)
    return {
        "quantity": None,
        "entered_at": None,
        "taken": row.quantity,
        "in_this_trade": row.id == fill.trade.id,
        "order_id": maker if owner == fill.broker_id else None,
        "prevented": 0,
    }
