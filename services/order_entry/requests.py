"""What brokers ask for on its way into the inbox: an order as it came, checked, and paid for; a command that waits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from models import CASH
from services.settlement.fees import NO_FEES, FeeRates
from services.stocks.listing import StockRules


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """An order as its broker asked for it: prices in cents, quantities in shares; `fingerprint` identifies it."""

    symbol: str
    document_number: str
    side: str
    order_type: str
    time_in_force: str
    price: int | None
    quantity: int
    fingerprint: bytes
    valid_until: datetime | None = None
    self_trade_prevention: str | None = None
    client_order_id: str | None = None
    stop_price: int | None = None
    display_quantity: int | None = None
    post_only: bool = False


@dataclass(frozen=True, slots=True)
class NewOrder:
    """A request, whose it is, and who waits for the book's answer."""

    broker_id: int
    request: OrderRequest
    reply_to: str | None = None
    is_guest: bool = False
    """Whether the broker has signed up."""
    rates: FeeRates = NO_FEES
    """What it is to pay, as far as is remembered."""


@dataclass(frozen=True, slots=True)
class FundedOrder:
    """A checked order with what it reserves: `amount` (cents or shares) of `asset_id`."""

    order: NewOrder
    stock: StockRules
    protection_price: int | None
    asset_id: int
    amount: int

    @classmethod
    def of(cls, order: NewOrder, stock: StockRules, protection_price: int | None) -> FundedOrder:
        """An ask reserves its shares, a bid what it may cost at most, and what its fee may come to."""
        request = order.request
        if request.side == "ask":
            return cls(order, stock, None, stock.id, request.quantity)
        amount = (request.price or protection_price or 0) * request.quantity
        if not order.rates.are_none:
            amount += order.rates.most(amount)
        return cls(order, stock, protection_price, CASH, amount)

    def at(self, rates: FeeRates) -> FundedOrder:
        """The same order with these fees."""
        if rates == self.order.rates:
            return self
        return self.of(replace(self.order, rates=rates), self.stock, self.protection_price)


@dataclass(frozen=True, slots=True)
class QueuedCommand:
    """An order as it stands, and the command that was put into the inbox for it; None if it was closed already."""

    order_id: int
    stock_id: int
    symbol: str
    group_name: str
    command_id: int | None
