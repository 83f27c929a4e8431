"""What an order pays for its fills: basis points of what was traded, rounded up once for the whole order.

After each fill the order's fee is ceil(sum of price x quantity x basis points / 10,000) over all its fills, each at the
rate of its own liquidity, and the fill bears what that has grown by. So an order pays the same however it is cut into
fills. An order that rests pays as a maker, the one that meets it as a taker, both of an auction as makers.
"""

from dataclasses import dataclass, field
from typing import Any, Final

BASIS_POINTS: Final = 10_000
LARGEST_BPS: Final = 1_000
"""The highest rate, a tenth: so a fill always brings a seller more than it costs him."""

MAKER, TAKER, AUCTION = "maker", "taker", "auction"
LIQUIDITIES: Final = (MAKER, TAKER, AUCTION)
"""What an order was in a trade: it made the price, took it, or met another in an auction."""


def rounded_up(notional_bps: int) -> int:
    """Cents for so many cents times basis points."""
    return -(-notional_bps // BASIS_POINTS)


@dataclass(frozen=True, slots=True)
class FeeRates:
    """Basis points of what is traded, from 0 to LARGEST_BPS."""

    maker_bps: int = 0
    taker_bps: int = 0
    version: int = 0
    """That of the broker's terms from which they follow."""
    are_none: bool = field(init=False)
    """Whether nothing is ever to be paid."""

    def __post_init__(self) -> None:
        """Known once for all orders that have them."""
        object.__setattr__(self, "are_none", not (self.maker_bps or self.taker_bps))

    def most(self, notional: int) -> int:
        """The fee in cents that a new order of so many cents may come to: it is set aside with them."""
        return rounded_up(notional * max(self.maker_bps, self.taker_bps))


NO_FEES: Final = FeeRates()


class OrderFees:
    """What an order has paid and may yet have to pay, at the rates that were frozen when it came.

    It goes along with the settlement, fill by fill, while the engine's order already shows what comes of the whole
    command: `left` is the shares that are open at this point, `maker_notional` the cents traded at the maker's rate.
    """

    __slots__ = ("fee", "highest", "left", "maker_bps", "maker_notional", "notional_bps", "taker_bps")

    def __init__(self, rates: FeeRates, left: int, notional: int = 0, maker_notional: int = 0) -> None:
        """`notional` (cents) is what was traded before, of which `maker_notional` at the maker's rate."""
        self.maker_bps, self.taker_bps = rates.maker_bps, rates.taker_bps
        self.highest = max(rates.maker_bps, rates.taker_bps)
        self.left = left
        self.maker_notional = maker_notional
        self.notional_bps = maker_notional * rates.maker_bps + (notional - maker_notional) * rates.taker_bps
        self.fee = rounded_up(self.notional_bps)
        """Cents paid so far."""

    def set_aside(self, notional: int) -> int:
        """Cents that are set aside for the fee of trading so many cents more."""
        return -(-(self.notional_bps + notional * self.highest) // BASIS_POINTS) - self.fee

    def charge(self, notional: int, quantity: int, liquidity: str) -> int:
        """Take in a fill of so many cents and shares; the cents that it bears."""
        self.left -= quantity
        if liquidity == TAKER:
            self.notional_bps += notional * self.taker_bps
        else:
            self.maker_notional += notional
            self.notional_bps += notional * self.maker_bps
        paid, self.fee = self.fee, -(-self.notional_bps // BASIS_POINTS)
        return self.fee - paid


def fees_of_row(row: Any) -> OrderFees | None:
    """Those of a row of `orders` (rates, `remaining_quantity`, notionals); None for an order that pays none."""
    if row.maker_bps is None:
        return None
    rates = FeeRates(row.maker_bps, row.taker_bps)
    return OrderFees(rates, row.remaining_quantity, row.filled_notional, row.maker_notional or 0)


def fee_of_row(row: Any) -> int:
    """Cents that the order of this row has paid."""
    fees = fees_of_row(row)
    return 0 if fees is None else fees.fee
