"""What a turn of the worker notes down for its statements and messages: trades, states, commands, orders, stocks."""

from dataclasses import dataclass, field
from typing import NamedTuple

from engine.terms.events import StateChanged
from engine.terms.orders import BID, SIDE_NAMES, Order
from services.settlement.fees import AUCTION, MAKER, TAKER


@dataclass(slots=True)
class Execution:
    """A trade to be stored and told: `sequence` on the stock's tape, price in cents, quantity in shares."""

    stock_id: int
    symbol: str
    sequence: int
    command_sequence: int
    bid: Order
    ask: Order
    price: int
    quantity: int
    reference_price: int | None
    aggressor_side: str
    executed_at: str
    """RFC 3339 with microseconds."""
    is_auction: bool = False
    """Whether it is of an auction's end, where both orders had rested."""
    bid_fee: int = 0
    ask_fee: int = 0
    """Cents that the two orders pay for it."""

    def fee_of(self, order: Order) -> int:
        """What this one of the two pays."""
        return self.bid_fee if order.side == BID else self.ask_fee

    def liquidity_of(self, order: Order) -> str:
        """What this one of the two was."""
        if self.is_auction:
            return AUCTION
        return TAKER if SIDE_NAMES[order.side] == self.aggressor_side else MAKER


@dataclass(slots=True)
class CommandUpdate:
    """A command that was taken: its place and time in the stock's journal, and why it had no effect, if so."""

    id: int
    sequence: int
    sequenced_at: str
    refused: str | None = None
    error: str | None = None


@dataclass(slots=True)
class OrderUpdate:
    """An order's row to be updated; the quantities are those of the order at the end of the turn."""

    order: Order
    stock_id: int
    status: str
    taken_at: str
    """When the turn took its commands: RFC 3339 with microseconds."""
    sequence: int | None = None
    close_reason: str | None = None
    """Why it was rejected, or cancelled at last."""

    @property
    def rejected(self) -> bool:
        """True if nothing of it was ever in the book."""
        return self.status == "rejected"

    @property
    def closed(self) -> bool:
        """True if it can trade no more; before the turn it could."""
        return self.rejected or not self.order.remaining


@dataclass(slots=True)
class Announcement:
    """A new trading state to be told on a stock's tape, with its place there."""

    stock_id: int
    symbol: str
    sequence: int
    change: StateChanged
    set_by: str
    """`schedule`, `operator` or `volatility`."""
    changed_at: str
    """RFC 3339 with microseconds."""


class SessionStart(NamedTuple):
    """A session that has begun: its trades are behind `sequence` on the tape; `reference` in cents, None for none."""

    sequence: int
    reference: int | None


@dataclass(slots=True)
class StockTurn:
    """One stock during a turn: the counters of its row, as they advance."""

    id: int
    symbol: str
    fee_account: int
    """The exchange's account that fees go to."""
    command_sequence: int
    event_sequence: int
    book_sequence: int
    now: int
    """The time of the turn's commands: microseconds since 1970."""
    sequenced_at: str
    """The same as PostgreSQL reads it and as the world is told: RFC 3339 with microseconds."""
    changed: set[int] = field(default_factory=set)
    """The sides of the book that may look different now."""
    state: StateChanged | None = None
    """The last change of its trading state, if there was one."""
    set_by: str | None = None
    """Who asked for it."""
    session: SessionStart | None = None
    """The session that has begun, if one has."""
    indicates: bool = False
    """True if the indicative price, volume or surplus changed."""
