"""What one turn moves: transfers, the change of each balance, and what each position cost.

Money and shares are reserved, released and paid by the same few lines; cash is just another asset.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from engine.terms.events import Amended
from engine.terms.orders import BID, Order
from models import CASH
from services.settlement.fees import OrderFees
from services.settlement.turn_records import Execution

Account = tuple[int, int]
"""(broker id, asset id)"""


@dataclass(slots=True)
class BalanceChange:
    """The amounts that a turn adds to a balance, and the trades (signed shares, cents each) that move its position."""

    available: int = 0
    reserved: int = 0
    traded: int = 0
    trades: list[tuple[int, int]] = field(default_factory=list)


class Movement(NamedTuple):
    """One row of `transfers` to be."""

    kind: str
    asset_id: int
    amount: int
    from_broker: int
    from_bucket: str
    to_broker: int
    to_bucket: str
    order_id: int
    trade_index: int | None
    """Which of the turn's trades it belongs to."""


def broker_of(order: Order) -> int:
    """Whose order it is; live accounts are (broker, document)."""
    broker: int = order.account[0]  # type: ignore[index]
    return broker


def order_id_of(order: Order) -> int:
    """The order's id; live ids are those of `orders`."""
    order_id: int = order.id  # type: ignore[assignment]
    return order_id


def need_of(order: Order, price: int | None, quantity: int) -> int:
    """The amount that `quantity` shares of this order reserve: shares for an ask, cents for a bid at `price`, and what
    its fee may come to."""
    if order.side != BID:
        return quantity
    notional = (price or 0) * quantity
    if order.fees is not None:
        notional += order.fees.set_aside(notional)
    return notional


def need_of_rest(order: Order) -> int:
    """The amount that is reserved for what is left of this order, which is open, at this point of the turn."""
    return need_of(order, order.price, order.remaining if order.fees is None else order.fees.left)


def asset_of(order: Order, stock_id: int) -> int:
    """The id of the asset that the order reserves: cash for a bid, the stock for an ask."""
    return CASH if order.side == BID else stock_id


class Ledger:
    """The movements of one turn on any number of stocks."""

    def __init__(self) -> None:
        self.movements: list[Movement] = []
        self.changes: dict[Account, BalanceChange] = {}
        self.receiving: set[Account] = set()
        """Accounts that a trade brings something: they may not be open yet. All others have reserved before."""

    def release(self, broker: int, asset: int, amount: int, order_id: int) -> None:
        """Give `amount` (cents or shares) that an order had reserved back to its broker; 0 moves nothing."""
        if amount:
            self.movements.append(
                Movement("release", asset, amount, broker, "reserved", broker, "available", order_id, None)
            )
            change = self.change(broker, asset)
            change.reserved -= amount
            change.available += amount

    def reserve_more(self, order: Order, stock_id: int, reserved: int) -> None:
        """Have `order` have reserved what it needs, of which it has `reserved` (cents or shares); what it does not need
        comes back."""
        broker, asset, order_id = broker_of(order), asset_of(order, stock_id), order_id_of(order)
        more = need_of(order, order.price, order.quantity) - reserved
        if more <= 0:
            self.release(broker, asset, -more, order_id)
            return
        self.movements.append(Movement("reserve", asset, more, broker, "available", broker, "reserved", order_id, None))
        change = self.change(broker, asset)
        change.available -= more
        change.reserved += more

    def release_unfilled(self, order: Order, stock_id: int, quantity: int) -> None:
        """Give back what `quantity` shares of `order` had reserved, which leave it."""
        fees: OrderFees | None = order.fees
        if fees is None:
            amount = need_of(order, order.price, quantity)
        else:
            amount = need_of(order, order.price, fees.left)
            fees.left -= quantity
            amount -= need_of(order, order.price, fees.left)
        self.release(broker_of(order), asset_of(order, stock_id), amount, order_id_of(order))

    def settle(self, trade: Execution, trade_index: int, fee_account: int) -> None:
        """Delivery against payment: shares to the buyer, cash to the seller, fees to the exchange, improvement back.

        Improvement is all that was reserved for these shares and is not needed: the limit may be better than the price,
        and the rate that was set aside higher than the one that is paid. `trade` is told its fees, whose movements lie
        between the two of money and shares.
        """
        bid, ask, stock_id, quantity, price = trade.bid, trade.ask, trade.stock_id, trade.quantity, trade.price
        buyer, seller = broker_of(bid), broker_of(ask)
        bid_id, ask_id = order_id_of(bid), order_id_of(ask)
        paid, move = price * quantity, self.movements.append
        bought, sold = self.change(buyer, CASH), self.change(seller, CASH)
        move(Movement("trade", CASH, paid, buyer, "reserved", seller, "available", bid_id, trade_index))
        fees: OrderFees | None = bid.fees
        if fees is None:
            freed = need_of(bid, bid.price, quantity)
        else:
            freed = need_of(bid, bid.price, fees.left)
            trade.bid_fee = fee = fees.charge(paid, quantity, trade.liquidity_of(bid))
            freed -= need_of(bid, bid.price, fees.left)
            if fee:
                move(Movement("fee", CASH, fee, buyer, "reserved", fee_account, "available", bid_id, trade_index))
        bought.reserved -= freed
        improvement = freed - paid - trade.bid_fee
        if improvement:
            move(Movement("improvement", CASH, improvement, buyer, "reserved", buyer, "available", bid_id, trade_index))
            bought.available += improvement
        fees = ask.fees
        if fees is not None:
            trade.ask_fee = fee = fees.charge(paid, quantity, trade.liquidity_of(ask))
            if fee:
                move(Movement("fee", CASH, fee, seller, "available", fee_account, "available", ask_id, trade_index))
        move(Movement("trade", stock_id, quantity, seller, "reserved", buyer, "available", ask_id, trade_index))
        bought.traded -= paid + trade.bid_fee
        sold.traded += paid - trade.ask_fee
        sold.available += paid - trade.ask_fee
        self._take_fees(fee_account, trade.bid_fee + trade.ask_fee)
        received, given = self.change(buyer, stock_id), self.change(seller, stock_id)
        received.available += quantity
        received.traded += quantity
        received.trades.append((quantity, price))
        given.reserved -= quantity
        given.traded -= quantity
        given.trades.append((-quantity, price))
        self.receiving.add((seller, CASH))
        self.receiving.add((buyer, stock_id))

    def amend(self, order: Order, event: Amended) -> int:
        """What the order needs less since this amendment; negative for more."""
        before = need_of(order, event.old_price, event.old_remaining)
        if order.fees is not None:
            order.fees.left = event.remaining
        return before - need_of(order, event.price, event.remaining)

    def _take_fees(self, account: int, fees: int) -> None:
        if fees:
            self.receiving.add((account, CASH))
            exchange = self.change(account, CASH)
            exchange.available += fees
            exchange.traded += fees

    def change(self, broker: int, asset: int) -> BalanceChange:
        """What the turn adds to this balance so far."""
        change = self.changes.get((broker, asset))
        if change is None:
            change = self.changes[broker, asset] = BalanceChange()
        return change
