"""Answers of books, kept as long as their books are the same: most are asked for more often than they change."""

from typing import Any, Final

import orjson

from database.statements import Statements
from queues.book_cache import BookCache
from services.market_data.book import book_version, read_book, usable
from services.market_data.grouped_book import read_grouped_book

MOST: Final = 2_000
"""Answers that are kept, some 10 MB; beyond that the memory starts anew."""

SHOWN: Final = ("book_sequence", "sequence", "bids", "asks")


class KeptBooks:
    """Of one process. The database says which version of a book is current; whatever is of another is made anew."""

    def __init__(self, cache: BookCache) -> None:
        self._cache = cache
        self._kept: dict[tuple[str, int], tuple[int, bytes]] = {}

    def answer(self, session: Statements, symbol: str, depth: int) -> bytes:
        """The document (BookSchema) of a book with the best `depth` levels a side. Raises UnknownStock.

        From the worker's last snapshot where that is of the current version, else from the open orders.
        """
        version, epoch, gathers = book_version(session, symbol)
        kept, body = self._kept.get((symbol, depth), (None, b""))
        if kept == version:
            return body
        if gathers:  # the worker shows no orders without a price
            return self._keep(symbol, depth, epoch, read_grouped_book(session, symbol, depth, group=1))
        snapshot = self._cache.get(symbol)
        book = None if snapshot is None else usable(snapshot, version, depth)
        return self._keep(symbol, depth, epoch, book or read_book(session, symbol, depth))

    def grouped(self, session: Statements, symbol: str, depth: int, group: int) -> bytes:
        """The same with levels of `group` ticks; not kept."""
        _, epoch, _ = book_version(session, symbol)
        return _document(symbol, depth, epoch, read_grouped_book(session, symbol, depth, group))

    def __len__(self) -> int:
        """How many answers are kept."""
        return len(self._kept)

    def forget(self) -> None:
        """Make each anew."""
        self._kept.clear()

    def _keep(self, symbol: str, depth: int, epoch: str, book: dict[str, Any]) -> bytes:
        body = _document(symbol, depth, epoch, book)
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[symbol, depth] = book["version"], body
        return body


def _document(symbol: str, depth: int, epoch: str, book: dict[str, Any]) -> bytes:
    return orjson.dumps({"symbol": symbol, "epoch": epoch, "depth": depth, **{name: book[name] for name in SHOWN}})
