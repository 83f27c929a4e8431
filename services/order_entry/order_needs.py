"""What an order may do by the rules of its stock, and what it has to reserve: cash for a bid, shares for an ask.

And what it needs more if it is amended.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.errors import MarketError, kept
from services.order_entry import checks
from services.order_entry.requests import FundedOrder, NewOrder, OrderRequest
from services.settlement.fees import BASIS_POINTS, fees_of_row, rounded_up
from services.stocks.listing import StockRules, unknown_stock
from settings.sections import Market


def needs_of(
    orders: Mapping[int, NewOrder], rules: Mapping[str, StockRules], market: Market, now: datetime
) -> tuple[dict[int, FundedOrder], dict[int, MarketError]]:
    """The orders that these rules allow, with what each reserves, and the refusals of the others; by place."""
    funded: dict[int, FundedOrder] = {}
    refused: dict[int, MarketError] = {}
    for n, order in orders.items():
        try:
            funded[n] = _need_of(order, rules.get(order.request.symbol), market, now)
        except MarketError as refusal:
            refused[n] = kept(refusal)
    return funded, refused


def extra_need(order: Any, new_price: int, new_quantity: int) -> tuple[int, int]:
    """What the amended order may need at most beyond what it has reserved: cents for a bid, shares for an ask.

    What fills before the book has it takes x shares from what remains, at the old price, and changes the need by x
    times the difference of the prices: the largest need is at one of the ends, nothing or all filled. A fee is rounded
    up once for the whole order, so what fills before may also make it a cent more than it is now; the second number
    leaves that cent out.
    """
    more = new_quantity - order.quantity
    if order.side == "ask":
        return max(0, more), max(0, more)
    old = order.remaining_quantity * worst_price(order)
    new = (order.remaining_quantity + more) * new_price
    most = max(0, new - old, more * new_price)
    fees = fees_of_row(order)
    if fees is None:
        return most, most
    now = new - old + fees.set_aside(max(0, new)) - fees.set_aside(old)
    return most + rounded_up(most * fees.highest), max(now, most + most * fees.highest // BASIS_POINTS)


def reserved_for(order: Any) -> int:
    """What the order (its row) has reserved: cents for a bid, shares for an ask; nothing once it is closed."""
    if order.side == "ask":
        return int(order.remaining_quantity)
    value = int(order.remaining_quantity) * worst_price(order)
    fees = fees_of_row(order)
    return value + (fees.set_aside(value) if fees is not None and value else 0)


def worst_price(order: Any) -> int:
    """The price (cents) that the order reserves at: its limit, or the protection of a buy that has none."""
    return order.price or order.protection_price or 0


def _need_of(order: NewOrder, stock: StockRules | None, market: Market, now: datetime) -> FundedOrder:
    request = order.request
    if stock is None:
        raise unknown_stock(request.symbol, "symbol")
    checks.check_state(stock)
    checks.check_waiting(request, stock)
    checks.check_valid_until(request.valid_until, now)
    if request.price is not None:
        checks.check_price(request.price, stock, market)
    if request.stop_price is not None:
        checks.check_tick(request.stop_price, stock, market, "stop_price")
    protection = protection_of(request, stock, market)
    checks.check_quantity(request.quantity, request.price or protection or request.stop_price or 1, stock, market)
    if request.display_quantity is not None:
        checks.check_display(request.display_quantity, request.quantity, stock, market)
    return FundedOrder.of(order, stock, protection)


def protection_of(request: OrderRequest, stock: StockRules, market: Market) -> int | None:
    """The most (cents) that a buy without a limit may pay; None for all other orders. Raises NoReferencePrice."""
    if request.price is not None or request.side == "ask":
        return None
    if request.stop_price is not None:
        return checks.protected(request.stop_price, stock, market)
    return checks.protection_price(stock, market)
