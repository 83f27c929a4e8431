"""A price level: the orders at one price, oldest first."""

from __future__ import annotations

from collections.abc import Iterator

from engine.orders import Order


class Level:
    """The queue at one price, linked through the orders themselves, with its sums kept as it changes.

    Joining the back, leaving from anywhere and reading the sums cost the same however long the queue is.
    `key` is the price as its side sorts it (see `BookSide`); `price` is in cents, `quantity` in shares.
    """

    __slots__ = ("count", "head", "key", "price", "quantity", "tail")

    def __init__(self, key: int, price: int) -> None:
        self.key = key
        self.price = price
        self.head: Order | None = None
        self.tail: Order | None = None
        self.quantity = 0
        self.count = 0

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
        self.quantity -= order.remaining
        self.count -= 1

    def __iter__(self) -> Iterator[Order]:
        order = self.head
        while order is not None:
            yield order
            order = order.behind
