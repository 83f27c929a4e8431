"""What is checked before an order is stored: the stock's state, tick, lot, band and the largest sizes."""

from datetime import datetime

from config import Market
from engine.rules import band_limits
from services.errors import (
    NoReferencePrice,
    NotionalTooLarge,
    OffLot,
    OffTick,
    PriceOutsideBand,
    PriceTooLarge,
    QuantityTooLarge,
    StockClosed,
    StockHalted,
    ValidUntilInThePast,
)
from services.listing import StockRules

BASIS_POINTS = 10_000


def check_state(stock: StockRules) -> None:
    """Raises StockHalted or StockClosed when the stock takes no orders now."""
    if stock.state == "halted":
        raise StockHalted(f"Trading in {stock.symbol} is halted.", state=stock.state)
    if stock.state == "closed":
        raise StockClosed(f"{stock.symbol} is closed.", state=stock.state)


def check_price(price: int, stock: StockRules, market: Market) -> None:
    """Raises PriceTooLarge, OffTick or PriceOutsideBand, which names reference, lowest and highest (cents)."""
    if price > market.max_price:
        raise PriceTooLarge(f"The largest price is {market.max_price} cents.", field="price")
    if price % stock.tick_size:
        raise OffTick(f"The price must be a multiple of {stock.tick_size} cents.", field="price")
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

    Without an ask it is the upper band; raises NoReferencePrice where there is no band either.
    """
    limits = []
    if stock.best_ask is not None:
        most = stock.best_ask * (BASIS_POINTS + market.protection_bps)
        limits.append(-(-most // (BASIS_POINTS * stock.tick_size)) * stock.tick_size)
    if stock.band_bps and stock.reference_price is not None:
        limits.append(band_limits(stock.reference_price, stock.band_bps, stock.tick_size)[1])
    if not limits:
        raise NoReferencePrice(f"{stock.symbol} has no offer and no reference price yet.", field="order_type")
    return min(limits)
