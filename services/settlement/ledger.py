"""What one turn moves: transfers, the change of each balance, and what each position cost.

Money and shares are reserved, released and paid by the same few lines; cash is just another asset.
"""

from dataclasses import dataclass, field

from engine.events import Amended
from engine.orders import BID, Order
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


@dataclass(slots=True)
class Movement:
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
            self._move(Movement("release", asset, amount, broker, "reserved", broker, "available", order_id, None))

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
        and the rate that was set aside higher than the one that is paid. `trade` is told its fees.
        """
        bid, ask, stock_id, quantity = trade.bid, trade.ask, trade.stock_id, trade.quantity
        buyer, seller = broker_of(bid), broker_of(ask)
        bid_id, ask_id = order_id_of(bid), order_id_of(ask)
        paid = trade.price * quantity
        self._move(Movement("trade", CASH, paid, buyer, "reserved", seller, "available", bid_id, trade_index))
        fees: OrderFees | None = bid.fees
        if fees is None:
            improvement = need_of(bid, bid.price, quantity) - paid
        else:
            improvement = need_of(bid, bid.price, fees.left) - paid
            trade.bid_fee = fees.charge(paid, quantity, trade.liquidity_of(bid))
            improvement -= trade.bid_fee + need_of(bid, bid.price, fees.left)
            self._pay_fee(bid, "reserved", trade.bid_fee, trade_index, fee_account)
        if improvement:
            self._move(
                Movement("improvement", CASH, improvement, buyer, "reserved", buyer, "available", bid_id, trade_index)
            )
        self._move(Movement("trade", stock_id, quantity, seller, "reserved", buyer, "available", ask_id, trade_index))
        fees = ask.fees
        if fees is not None:
            trade.ask_fee = fees.charge(paid, quantity, trade.liquidity_of(ask))
            self._pay_fee(ask, "available", trade.ask_fee, trade_index, fee_account)
        self.receiving.update(((seller, CASH), (buyer, stock_id)))
        self._change(buyer, CASH).traded -= paid
        self._change(seller, CASH).traded += paid
        for broker, shares in ((buyer, quantity), (seller, -quantity)):
            change = self._change(broker, stock_id)
            change.traded += shares
            change.trades.append((shares, trade.price))

    def amend(self, order: Order, event: Amended) -> int:
        """What the order needs less since this amendment; negative for more."""
        before = need_of(order, event.old_price, event.old_remaining)
        if order.fees is not None:
            order.fees.left = event.remaining
        return before - need_of(order, event.price, event.remaining)

    def _pay_fee(self, order: Order, bucket: str, fee: int, trade_index: int, account: int) -> None:
        if not fee:
            return
        broker, order_id = broker_of(order), order_id_of(order)
        self._move(Movement("fee", CASH, fee, broker, bucket, account, "available", order_id, trade_index))
        self.receiving.add((account, CASH))
        self._change(broker, CASH).traded -= fee
        self._change(account, CASH).traded += fee

    def _move(self, movement: Movement) -> None:
        self.movements.append(movement)
        giving = self._change(movement.from_broker, movement.asset_id)
        if movement.from_bucket == "reserved":
            giving.reserved -= movement.amount
        else:
            giving.available -= movement.amount
        self._change(movement.to_broker, movement.asset_id).available += movement.amount

    def _change(self, broker: int, asset: int) -> BalanceChange:
        change = self.changes.get((broker, asset))
        if change is None:
            change = self.changes[broker, asset] = BalanceChange()
        return change
