"""What a command would do in the book that everybody sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.book import Book
from engine.terms.commands import Command
from engine.terms.events import Rejected, Trade
from engine.terms.orders import Order
from services.settlement.fees import MAKER, TAKER, OrderFees


@dataclass(frozen=True, slots=True)
class Trial:
    """How an order would fare: `fills` as (price in cents, shares), and shares that would rest, at `price` (cents)."""

    refused: str | None = None
    """One of `engine.terms.codes`."""
    fills: Sequence[tuple[int, int]] = field(default_factory=list)
    rests: int = 0
    price: int | None = None

    @property
    def fills_now(self) -> int:
        """Shares that would trade at once."""
        return sum(quantity for _, quantity in self.fills)

    @property
    def notional(self) -> int:
        """Cents of what trades at once, and of what rests by its limit."""
        return self.traded + self.rests * (self.price or 0)

    @property
    def traded(self) -> int:
        """Cents that would be traded at once."""
        return sum(price * quantity for price, quantity in self.fills)

    def fee(self, fees: OrderFees | None) -> int:
        """Cents that all of it would cost, in addition to what was paid before."""
        if fees is None:
            return 0
        paid = fees.fee
        for price, quantity in self.fills:
            fees.charge(price * quantity, quantity, TAKER)
        fees.charge(self.rests * (self.price or 0), self.rests, MAKER)
        return fees.fee - paid


def tried(book: Book, command: Command, order: Order, now: int, price: int | None) -> Trial:
    """What `command` would do for `order`; `price` (cents) is what an order without a limit counts at where it rests.

    The book is changed. `now` in microseconds.
    """
    events = book.apply(command, now)
    refused = next((event.code for event in events if isinstance(event, Rejected)), None)
    if refused is not None:
        return Trial(refused)
    fills = [(event.price, event.quantity) for event in events if isinstance(event, Trade)]
    return Trial(None, fills, order.remaining if order.id in book.orders else 0, order.price or price)
