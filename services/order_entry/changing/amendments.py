"""What brokers may change of an order, and what that may need beyond what the order already has."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from engine.terms.order_types import STOP
from models import CASH
from services.errors import (
    InsufficientFunds,
    InsufficientShares,
    MarketError,
    NotYourOrder,
    OrderClosed,
    UnknownOrder,
)
from services.order_entry import checks
from services.order_entry.errors import (
    AmendmentWaiting,
    MarketOrderNotAmendable,
    StopNotAmendable,
    StopPriceNotAmendable,
    ValidUntilNotAmendable,
)
from services.order_entry.order_needs import extra_need
from services.stocks.listing import StockRules
from services.timestamps import microseconds
from settings.sections import Market

UNCHANGED: Any = object()
"""Says that a field is not to be amended, where None means "without"."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """The changes that a broker wants: `quantity` is the new total (shares), prices in cents; None changes nothing."""

    broker_id: int
    order_id: int
    price: int | None = None
    quantity: int | None = None
    valid_until: datetime | None = UNCHANGED
    stop_price: int | None = None
    reply_to: str | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """An amendment that may be made, as far as checks can tell: `extra` (cents or shares) is what it may need more.

    `needed` is that without the cent that rounding the fee may bring.
    """

    order: Row[Any]
    stock: StockRules
    payload: dict[str, Any]
    extra: int
    needed: int
    reply_to: str | None = None

    @classmethod
    def of(cls, order: Row[Any], stock: StockRules, request: Amendment, market: Market) -> "Checked":
        """That of an order's row; whether it may be made is not looked at."""
        price, quantity = wanted(order, request, stock, market)
        payload: dict[str, Any] = {"price": price, "quantity": quantity}
        if request.valid_until is not UNCHANGED:
            payload["expire_at"] = microseconds(request.valid_until)
        if request.stop_price not in (None, order.stop_price):
            payload["stop_price"] = request.stop_price
        extra, needed = extra_need(order, price or 0, quantity)
        return cls(order, stock, payload, extra, needed, request.reply_to)

    @property
    def asset_id(self) -> int:
        """The asset that the order reserves: cash for a bid, the stock for an ask."""
        return CASH if self.order.side == "bid" else int(self.order.stock_id)

    def refusal(self) -> MarketError:
        """The broker has not what it needs."""
        if self.order.side == "bid":
            return InsufficientFunds(f"This amendment needs {self.extra} cents more.", required=self.extra)
        return InsufficientShares(f"This amendment needs {self.extra} shares more.", required=self.extra)


def wanted(order: Row[Any], request: Amendment, stock: StockRules, market: Market) -> tuple[int | None, int]:
    """The price (cents) and the total (shares) that the order is to have.

    Of a stop buy without a limit the price is its protection, which follows from the stop price; of such a sale None.
    """
    price = order.price if request.price is None else request.price
    if order.order_type == STOP and order.side == "bid":
        price = order.protection_price
        if request.stop_price not in (None, order.stop_price):
            price = checks.protected(request.stop_price, stock, market)
    return price, order.quantity if request.quantity is None else request.quantity


def amendable(order: Row[Any] | None, request: Amendment, being_amended: Collection[int]) -> Row[Any]:
    """The order, if it is the broker's and may be amended like that at all. Raises the refusal."""
    if order is None:
        raise UnknownOrder(f"There is no order {request.order_id}.")
    if order.broker_id != request.broker_id:
        raise NotYourOrder
    if order.closed_at is not None:
        raise OrderClosed(f"Order {order.id} is already {order.status}.", status=order.status)
    if order.order_type == "market":
        raise MarketOrderNotAmendable
    if order.order_type == "stop" and request.price is not None:
        raise StopNotAmendable
    if request.stop_price is not None and not _waits(order):
        raise StopPriceNotAmendable
    if request.valid_until is not UNCHANGED and order.time_in_force not in ("gtc", "gtd"):
        raise ValidUntilNotAmendable
    if order.id in being_amended:
        raise AmendmentWaiting
    return order


def checks_of(
    order: Row[Any], stock: StockRules, request: Amendment, market: Market, now: datetime
) -> Iterator[Callable[[], None]]:
    """What is checked by the rules of the stock, in the order in which it is told; each raises its refusal."""
    price, quantity = wanted(order, request, stock, market)
    limit, stop_price = request.price, request.stop_price
    yield lambda: checks.check_state(stock)
    if limit is not None and limit != order.price:
        yield lambda: checks.check_price(limit, stock, market)
    if stop_price is not None:
        yield lambda: checks.check_tick(stop_price, stock, market, "stop_price")
    worst = price or stop_price or order.stop_price
    yield lambda: checks.check_quantity(quantity, worst, stock, market)
    if order.display_quantity is not None and quantity > order.quantity:
        yield lambda: checks.check_display(order.display_quantity, quantity, stock, market, "quantity")
    if request.valid_until is not UNCHANGED:
        yield lambda: checks.check_valid_until(request.valid_until, now)


def _waits(order: Row[Any]) -> bool:
    """True for a stop that has not been elected, as far as the book has told."""
    return order.stop_price is not None and order.status in ("pending", "untriggered")
