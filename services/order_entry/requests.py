"""What brokers ask for on its way into the inbox: an order as it came, checked, and paid for; a command that waits."""

from dataclasses import dataclass
from datetime import datetime

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


@dataclass(frozen=True, slots=True)
class FundedOrder:
    """A checked order with what it reserves: `amount` (cents or shares) of `asset_id`."""

    order: NewOrder
    stock: StockRules
    protection_price: int | None
    asset_id: int
    amount: int


@dataclass(frozen=True, slots=True)
class QueuedCommand:
    """An order as it stands, and the command that was put into the inbox for it; None if it was closed already."""

    order_id: int
    stock_id: int
    symbol: str
    group_name: str
    command_id: int | None
