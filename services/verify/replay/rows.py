"""Rows as they are stored, and the same as the replayed engine has them."""

from typing import Any

from engine.terms.events import AuctionTrade, Trade
from engine.terms.orders import BID, SIDE_NAMES, Order
from services.history.entry_times import EntryTimes
from services.settlement.ledger import broker_of
from services.timestamps import microseconds
from services.verify.report import shown


def differences(row: Any, order: Order, entered: EntryTimes) -> list[tuple[str, Any, Any]]:
    """The values of an open order to compare, each as (name, as it is stored, as the replay left it).

    `entered_at` is missing of orders that have had their place since before it was kept.
    """
    since = microseconds(row.entered_at)
    status = "untriggered" if order.waits else "partially_filled" if order.filled else "open"
    return [
        ("side", row.side, SIDE_NAMES[order.side]),
        ("price", row.price if row.price is not None else row.protection_price, order.price),
        ("stop price", row.stop_price, order.stop_price),
        ("quantity", row.quantity, order.quantity),
        ("filled quantity", row.filled_quantity, order.filled),
        ("filled notional", row.filled_notional, order.filled_value),
        ("remaining quantity", row.remaining_quantity, order.remaining),
        ("shown quantity", row.shown_quantity, None if order.display_quantity is None else order.shown),
        ("cancelled quantity", row.cancelled_quantity, order.cancelled),
        ("valid_until in microseconds", microseconds(row.valid_until), order.expire_at),
        ("entered_at in microseconds", since, None if since is None else entered.of(order)),
        ("status", row.status, status),
    ]


def replayed_trade(trade: Trade, command: Any, reference: int | None) -> tuple[Any, ...]:
    """A trade of the replay, as `stored_trade` gives one."""
    bid, ask = (trade.taker, trade.maker) if trade.taker.side == BID else (trade.maker, trade.taker)
    parties = (bid.id, ask.id, broker_of(bid), broker_of(ask))
    side = SIDE_NAMES[trade.taker.side]
    is_auction = isinstance(trade, AuctionTrade)
    return (*parties, trade.price, trade.quantity, side, command.sequence, command.sequenced_at, reference, is_auction)


def stored_trade(row: Any) -> tuple[Any, ...]:
    """A stored trade: parties, price, quantity, aggressor, command, time, reference, auction or not."""
    parties = (row.buy_order_id, row.sell_order_id, row.buyer_id, row.seller_id)
    return (
        *parties,
        row.price,
        row.quantity,
        row.aggressor_side,
        row.command_sequence,
        row.executed_at,
        row.reference_price,
        row.is_auction,
    )


def shown_trade(trade: tuple[Any, ...] | None) -> str:
    """A trade as a finding shows it."""
    if trade is None:
        return "nothing"
    bid, ask, buyer, seller, price, quantity, aggressor, command, time, reference, is_auction = trade
    return (
        f"{quantity} at {price} of order {ask} (broker {seller}) to order {bid} (broker {buyer}), "
        f"{aggressor} by command {command} at {shown(time)}, reference {shown(reference)}"
        f"{', in an auction' if is_auction else ''}"
    )
