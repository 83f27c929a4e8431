"""Everything that stands against an order, not only what it would be refused for first, and what would do instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from engine.book import Book
from engine.terms.codes import MESSAGES, POST_ONLY_WOULD_TAKE
from engine.terms.orders import BID
from services.errors import (
    DisplayQuantityTooSmall,
    InsufficientFunds,
    InsufficientShares,
    MarketError,
    NotionalTooLarge,
    OffLot,
    OffTick,
    PriceOutsideBand,
    PriceTooLarge,
    QuantityTooLarge,
    kept,
)
from services.order_entry import checks
from services.order_entry.errors import PostOnlyWouldTake, WouldBeRejected
from services.order_entry.order_needs import protection_of
from services.order_entry.requests import OrderRequest
from services.stocks.listing import StockRules
from services.stocks.read_stocks import price_limits
from settings.sections import Market

REJECTIONS: Final = {POST_ONLY_WOULD_TAKE: PostOnlyWouldTake}


def rejection(code: str) -> MarketError:
    """What the book would refuse of what entry lets through, nearly always a post-only order that would take.

    Anything else has changed since entry's rules were read, such as a stop that was elected.
    """
    known = REJECTIONS.get(code)
    return WouldBeRejected(MESSAGES[code], reason=code) if known is None else known()


def collected(checks_: Iterable[Callable[[], object]]) -> list[MarketError]:
    """What these raise."""
    refusals = []
    for check in checks_:
        try:
            check()
        except MarketError as refusal:
            refusals.append(kept(refusal))
    return refusals


def checks_of_new(
    request: OrderRequest, stock: StockRules, market: Market, now: datetime
) -> Iterator[Callable[[], object]]:
    """What entry checks of a new order, in the order in which it does; each raises its refusal."""
    yield lambda: checks.check_state(stock)
    yield lambda: checks.check_waiting(request, stock)
    yield lambda: checks.check_valid_until(request.valid_until, now)
    price, stop_price, display = request.price, request.stop_price, request.display_quantity
    if price is not None:
        yield lambda: checks.check_price(price, stock, market)
    if stop_price is not None:
        yield lambda: checks.check_tick(stop_price, stock, market, "stop_price")
    if price is None:
        yield lambda: protection_of(request, stock, market)
    worst = price or protection_or_none(request, stock, market) or stop_price or 1
    yield lambda: checks.check_quantity(request.quantity, worst, stock, market)
    if display is not None:
        yield lambda: checks.check_display(display, request.quantity, stock, market)


def protection_or_none(request: OrderRequest, stock: StockRules, market: Market) -> int | None:
    """The most (cents) that a buy without a limit may pay; None for other orders, and where there is none to be had."""
    try:
        return protection_of(request, stock, market)
    except MarketError:
        return None


@dataclass(frozen=True, slots=True)
class Mending:
    """What has to be known to say what would do instead: figures in cents and shares."""

    stock: StockRules
    market: Market
    book: Book
    side: int
    prices: dict[str, int | None]
    """`price` and `stop_price` as they were asked for."""
    quantity: int
    display_quantity: int | None
    most: int | None
    """The largest quantity that would be taken."""

    def nearest(self, refusal: MarketError) -> int | None:
        """The nearest value of the field at fault that would be taken; None where there is none."""
        lot = self.stock.lot_size
        match refusal:
            case OffTick() | PriceOutsideBand() | PriceTooLarge():
                return self._price(refusal)
            case OffLot():
                asked = self.display_quantity if refusal.field == "display_quantity" else None
                return max(lot, ((asked or self.quantity) + lot // 2) // lot * lot)
            case QuantityTooLarge() | NotionalTooLarge() | InsufficientFunds() | InsufficientShares():
                return self.most or None
            case DisplayQuantityTooSmall():
                return min(self.quantity, _up(refusal.facts["smallest_display_quantity"], lot))
            case PostOnlyWouldTake():
                return self._beside()
        return None

    def _price(self, refusal: MarketError) -> int:
        tick = self.stock.tick_size
        lowest, highest = price_limits(self.stock, self.market)
        if refusal.field == "stop_price":
            lowest, highest = tick, self.market.max_price
        asked = self.prices[refusal.field or "price"] or 0
        return min(max((asked + tick // 2) // tick * tick, _up(lowest, tick)), highest // tick * tick)

    def _beside(self) -> int | None:
        """The price next to the other side's best."""
        tick, best = self.stock.tick_size, self.book.best(-self.side)
        if best is None:
            return None
        price = (best - 1) // tick * tick if self.side == BID else (best // tick + 1) * tick
        lowest, highest = price_limits(self.stock, self.market)
        return price if lowest <= price <= highest else None


def described(refusal: MarketError, mending: Mending) -> dict[str, Any]:
    """A refusal as one of several: {field, code, message, nearest}."""
    return {
        "field": refusal.field,
        "code": refusal.code(),
        "message": refusal.detail,
        "nearest": mending.nearest(refusal),
    }


def _up(value: int, step: int) -> int:
    return -(-value // step) * step
