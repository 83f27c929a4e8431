"""An order, from the moment it arrives until nothing of it is left, and the queue at one price that it waits in."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Any, Final

from engine.terms.order_types import GTC, STOPS

BID: Final = 1
"""The buying side. The sides are signs: price × side is larger for whoever is more eager to trade."""
ASK: Final = -1
"""The selling side."""

SIDES: Final = {"bid": BID, "ask": ASK}
SIDE_NAMES: Final = {BID: "bid", ASK: "ask"}
"""As brokers write them."""

CONDITIONS: Final[Mapping[str, type[int]]] = {"post_only": bool, "stop_price": int, "display_quantity": int}
"""What few orders have beside a price and a quantity: each attribute of `Order` that says so, and its kind.

An integer is above zero, or None where an order has no such condition; a truth is False there. Entry, the table, the
journal and `minex simulate` carry what stands here under the same name.
"""


class Order:
    """One order: what was asked for, what became of it, and its place in the queue.

    Prices are cents, quantities shares, times microseconds. Always `quantity == filled + remaining + cancelled`,
    where `cancelled` is everything that left without a trade: cancelled, expired, or taken by self-trade prevention.

    `account` says who is behind the order, and is compared for self-trade prevention only; None is nobody.
    `price` is the limit, or for a market or stop order the worst price it may reach (None: as far as the book goes).
    `stp` overrides the book's self-trade prevention when this order is the incoming one.
    `priority` is the book's counter at the moment the order last joined the back of a queue.
    A `post_only` order is rejected rather than take.
    A stop waits until the last price reaches `stop_price`; `elected` says that it did.
    An iceberg shows at most `display_quantity` shares of what remains, just now `shown` (FIX DisplayQty 1138).
    `fees` is whatever its owner pays for trading: the book carries it along and never looks at it.
    Only a `Book` writes to an order that it was given.
    """

    __slots__ = (
        "account",
        "ahead",
        "behind",
        "cancelled",
        "display_quantity",
        "elected",
        "expire_at",
        "fees",
        "filled",
        "filled_value",
        "id",
        "level",
        "post_only",
        "price",
        "priority",
        "quantity",
        "remaining",
        "shown",
        "side",
        "stop_price",
        "stp",
        "tif",
        "type",
    )

    def __init__(  # noqa: PLR0913, PLR0917 - an order has that many properties, and a builder would slow every order
        self,
        id: Hashable,
        account: Hashable,
        side: int,
        type: str,
        price: int | None,
        quantity: int,
        tif: str = GTC,
        expire_at: int | None = None,
        stp: str | None = None,
        filled: int = 0,
        filled_value: int = 0,
        cancelled: int = 0,
        priority: int = 0,
        elected: bool = False,
        shown: int = 0,
        post_only: bool = False,
        stop_price: int | None = None,
        display_quantity: int | None = None,
    ) -> None:
        self.id = id
        self.account = account
        self.side = side
        self.type = type
        self.price = price
        self.quantity = quantity
        self.tif = tif
        self.expire_at = expire_at
        self.stp = stp
        self.post_only = post_only
        self.stop_price = stop_price
        self.display_quantity = display_quantity
        self.elected = elected
        self.shown = shown
        self.fees: Any = None
        self.filled = filled
        self.filled_value = filled_value
        self.cancelled = cancelled
        self.remaining = quantity - filled - cancelled
        self.priority = priority
        self.level: Level | None = None
        self.ahead: Order | None = None
        self.behind: Order | None = None

    @property
    def open(self) -> bool:
        """True if the order is in a book: it rests, or waits to be elected or for an auction."""
        return self.level is not None

    @property
    def waits(self) -> bool:
        """True for a stop that has not been elected yet."""
        return self.type in STOPS and not self.elected

    def __repr__(self) -> str:
        side = "bid" if self.side == BID else "ask"
        return f"<Order {self.id} {side} {self.remaining} of {self.quantity} at {self.price}>"


class Level:
    """The queue at one price, linked through the orders themselves, with its sums kept as it changes.

    Joining the back, leaving from anywhere and reading the sums cost the same however long the queue is.
    `key` is the price as its side sorts it (see `BookSide`); `price` is in cents, `quantity` the shares that show,
    `hidden` those that icebergs keep back.
    """

    __slots__ = ("count", "head", "hidden", "key", "price", "quantity", "tail")

    def __init__(self, key: int, price: int) -> None:
        self.key = key
        self.price = price
        self.head: Order | None = None
        self.tail: Order | None = None
        self.quantity = 0
        self.hidden = 0
        self.count = 0

    def append(self, order: Order) -> None:
        """Put `order` at the back of the queue; an iceberg with as much as it says is `shown`."""
        tail = self.tail
        if tail is None:
            self.head = order
        else:
            tail.behind = order
            order.ahead = tail
        self.tail = order
        if order.display_quantity is None:
            self.quantity += order.remaining
        else:
            self.quantity += order.shown
            self.hidden += order.remaining - order.shown
        self.count += 1
        order.level = self

    def remove(self, order: Order) -> None:
        """Take `order`, with all that remains of it, out of the queue, wherever it stands."""
        ahead, behind = order.ahead, order.behind
        if ahead is None:
            self.head = behind
        else:
            ahead.behind = behind
        if behind is None:
            self.tail = ahead
        else:
            behind.ahead = ahead
        order.level = order.ahead = order.behind = None
        if order.display_quantity is None:
            self.quantity -= order.remaining
        else:
            self.quantity -= order.shown
            self.hidden -= order.remaining - order.shown
        self.count -= 1

    def resize(self, order: Order, remaining: int) -> None:
        """Let `remaining` shares be left of `order` where it stands; an iceberg gives up what it hides first."""
        if order.display_quantity is None:
            self.quantity += remaining - order.remaining
        else:
            shown = min(order.shown, remaining)
            self.quantity += shown - order.shown
            self.hidden += (remaining - shown) - (order.remaining - order.shown)
            order.shown = shown
        order.remaining = remaining

    def __iter__(self) -> Iterator[Order]:
        order = self.head
        while order is not None:
            yield order
            order = order.behind
