"""How one side of a book is shown: its best levels, in JSON."""

import orjson

from engine.book import Book

BOOK_DEPTH = 50
"""Levels a side that a snapshot holds: the most that anybody may ask for."""


def shown_side(book: Book, side: int) -> bytes:
    """The best levels of one side as JSON."""
    return orjson.dumps(
        [
            {"price": price, "total_quantity": quantity, "order_count": orders}
            for price, quantity, orders in book.depth(side, BOOK_DEPTH)
        ]
    )
