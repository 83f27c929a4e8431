"""What is checked before an order is stored: the stock's state, tick, lot, band, and the sizes.

The book checks most of it again, with what is true when the order reaches it.
"""

from datetime import datetime

from engine.terms.rules import band_limits, check_gathering
from engine.terms.states import DELISTED, GATHERING
from services.errors import (
    DisplayQuantityTooSmall,
    NoReferencePrice,
    NotInAuction,
    NotionalTooLarge,
    OffLot,
    OffTick,
    PriceOutsideBand,
    PriceTooLarge,
    QuantityTooLarge,
    StockClosed,
    StockDelisted,
    StockHalted,
    ValidUntilInThePast,
)
from services.order_entry.requests import OrderRequest
from services.stocks.listing import StockRules
from settings.sections import Market

BASIS_POINTS = 10_000


def check_state(stock: StockRules) -> None:
    """Raises StockHalted, StockClosed or StockDelisted when the stock takes no orders now."""
    if stock.state == "halted":
        raise StockHalted(f"Trading in {stock.symbol} is halted.", state=stock.state)
    if stock.state == "closed":
        raise StockClosed(f"{stock.symbol} is closed.", state=stock.state)
    if stock.state == DELISTED:
        raise StockDelisted(f"{stock.symbol} is listed no more.", state=stock.state)


def check_waiting(request: OrderRequest, stock: StockRules) -> None:
    """Raises NotInAuction where orders gather and this one could not wait."""
    if stock.state not in GATHERING:
        return
    if check_gathering(request.order_type, request.time_in_force, post_only=request.post_only):
        raise NotInAuction(f"Orders for {stock.symbol} gather for an auction.", state=stock.state)


def check_price(price: int, stock: StockRules, market: Market) -> None:
    """Raises PriceTooLarge, OffTick or PriceOutsideBand, which names reference, lowest and highest (cents)."""
    check_tick(price, stock, market, "price")
    if not stock.band_bps or stock.reference_price is None:
        return
    lowest, highest = band_limits(stock.reference_price, stock.band_bps, stock.tick_size)
    if not lowest <= price <= highest:
        raise PriceOutsideBand(
            f"The price must be from {lowest} to {highest} cents, around the reference price {stock.reference_price}.",
            field="price",
            reference_price=stock.reference_price,
            lowest_price=lowest,
            highest_price=highest,
        )


def check_tick(price: int, stock: StockRules, market: Market, field: str) -> None:
    """Raises PriceTooLarge or OffTick for the price (cents) in `field`."""
    if price > market.max_price:
        raise PriceTooLarge(f"The largest price is {market.max_price} cents.", field=field)
    if price % stock.tick_size:
        raise OffTick(f"The price must be a multiple of {stock.tick_size} cents.", field=field)


def check_display(
    display: int, quantity: int, stock: StockRules, market: Market, field: str = "display_quantity"
) -> None:
    """Raises OffLot or DisplayQuantityTooSmall, which names the smallest (shares); `field` is the one at fault.

    Each part that an iceberg shows may be a trade of its own: without a smallest one a single order could be a million.
    """
    if display % stock.lot_size:
        raise OffLot(f"It must be a multiple of {stock.lot_size} shares.", field=field)
    smallest = -(-quantity * market.smallest_display_bps // BASIS_POINTS)
    if display < smallest:
        detail = f"An iceberg of {quantity} shares must show at least {smallest}."
        raise DisplayQuantityTooSmall(detail, field=field, smallest_display_quantity=smallest)


def check_quantity(quantity: int, price: int, stock: StockRules, market: Market) -> None:
    """Raises OffLot, QuantityTooLarge or NotionalTooLarge; `price` (cents) is what the order may cost at most."""
    if quantity > market.max_quantity:
        raise QuantityTooLarge(f"The largest quantity is {market.max_quantity} shares.", field="quantity")
    if quantity % stock.lot_size:
        raise OffLot(f"The quantity must be a multiple of {stock.lot_size} shares.", field="quantity")
    if price * quantity > market.max_notional:
        raise NotionalTooLarge(f"Price times quantity may be at most {market.max_notional} cents.", field="quantity")


def check_valid_until(valid_until: datetime | None, now: datetime) -> None:
    """Raises ValidUntilInThePast when the order could never trade."""
    if valid_until is not None and valid_until <= now:
        raise ValidUntilInThePast(f"valid_until is in the past; it is {now.isoformat()} now.", field="valid_until")


def protection_price(stock: StockRules, market: Market) -> int:
    """The most (cents) that a market buy may pay: best ask plus protection, up to a tick, but within the band.

    Without an ask it is the upper band, and so before an auction, where the best ask is no price to go by. Raises
    NoReferencePrice where there is nothing to reckon from.
    """
    limits = []
    if stock.band_bps and stock.reference_price is not None:
        limits.append(band_limits(stock.reference_price, stock.band_bps, stock.tick_size)[1])
    if stock.best_ask is not None and not (limits and stock.state in GATHERING):
        limits.append(protected(stock.best_ask, stock, market))
    if not limits:
        raise NoReferencePrice(f"{stock.symbol} has no offer and no price band.", field="order_type")
    return min(limits)


def protected(price: int, stock: StockRules, market: Market) -> int:
    """`price` (cents) plus protection, up to a tick. A stop buy may pay that much over its stop price.

    The band of the day on which a stop is elected may be another than today's, so it does not count here.
    """
    most = price * (BASIS_POINTS + market.protection_bps)
    return -(-most // (BASIS_POINTS * stock.tick_size)) * stock.tick_size
