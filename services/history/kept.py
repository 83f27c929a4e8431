"""A book that was kept, as the engine's again."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Final

import orjson

from engine.book import Book
from engine.terms.orders import Order
from services.history.entry_times import EntryTimes
from services.history.pacing import paced
from services.matching.books import empty_book

ENTERED: Final = 13
"""The place of `entered_at` among what is kept of an order, behind its id, its broker and the customer's document. The
others are the properties of the engine's order, as it takes them."""


def book_of(stock: Any, kept: Any, pause: Callable[[], None] = lambda: None) -> tuple[Book, EntryTimes]:
    """The book of `kept`, a row of `book_checkpoints`, and since when its orders have their
    places; `stock` is the stock's row. `pause` is called now and then: others may go first.

    Raises ValueError where they are no orders that can rest together.
    """
    book = empty_book(stock, kept.reference_price, kept.last_price, kept.state)
    entered: dict[Hashable, int] = {}
    book.restore(_orders(kept.orders.split("\n") if kept.orders else [], entered, pause))
    return book, EntryTimes(book, entered)


def first_book(stock: Any) -> tuple[Book, EntryTimes]:
    """The book as it was before the first command."""
    book = empty_book(stock, stock.listing_price)
    return book, EntryTimes(book, {})


def _orders(lines: Sequence[str], entered: dict[Hashable, int], pause: Callable[[], None]) -> Iterator[Order]:
    """The orders that `services.history.keeping.ORDER` kept; `entered` is told since when each has its place."""
    for line in paced(lines, pause):
        id, broker_id, document, *rest = orjson.loads(line)
        if (since := rest.pop(ENTERED)) is not None:
            entered[id] = since
        yield Order(id, (broker_id, document), *rest)
