"""What an order may do by the rules of its stock, and what it has to reserve: cash for a bid, shares for an ask."""

from collections.abc import Mapping
from datetime import datetime

from models import CASH
from services.errors import MarketError, kept
from services.order_entry import checks
from services.order_entry.requests import FundedOrder, NewOrder, OrderRequest
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
    protection = _protection(request, stock, market)
    checks.check_quantity(request.quantity, request.price or protection or request.stop_price or 1, stock, market)
    if request.display_quantity is not None:
        checks.check_display(request.display_quantity, request.quantity, stock, market)
    if request.side == "ask":
        return FundedOrder(order, stock, None, stock.id, request.quantity)
    return FundedOrder(order, stock, protection, CASH, (request.price or protection or 0) * request.quantity)


def _protection(request: OrderRequest, stock: StockRules, market: Market) -> int | None:
    """The most (cents) that a buy without a limit may pay; None for all other orders."""
    if request.price is not None or request.side == "ask":
        return None
    if request.stop_price is not None:
        return checks.protected(request.stop_price, stock, market)
    return checks.protection_price(stock, market)
