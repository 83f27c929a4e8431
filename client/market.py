"""What everybody may see: stocks, prices, books, trades, candles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from .orders import renamed
from .shapes import Book, Candle, Document, Stock, Ticker
from .transport import Transport


class Market:
    """The market; where it is public no key is needed."""

    transport: Transport

    def config(self) -> Document:
        """What this exchange is like: its name, currency and epoch, and `live_url`, where its streams are."""
        return cast(Document, self.transport.get("/config"))

    def time(self) -> str:
        """The exchange's clock."""
        return str(self.transport.get("/time")["time"])

    def health(self) -> Document:
        """Whether anything is missing."""
        return cast(Document, self.transport.get("/health"))

    def clock(self) -> Document:
        """Where each market is in its day."""
        return cast(Document, self.transport.get("/clock"))

    def stocks(self, *symbols: str) -> list[Stock]:
        """All stocks, or some."""
        return list(self.transport.items("/stocks", symbol=symbols or None))

    def stock(self, symbol: str) -> Stock:
        """One stock."""
        return cast(Stock, self.transport.get(f"/stocks/{symbol}"))

    def ticker(self, symbol: str) -> Ticker:
        """The latest of a stock."""
        return cast(Ticker, self.transport.get(f"/stocks/{symbol}/ticker"))

    def tickers(self, *symbols: str) -> list[Ticker]:
        """The latest of all stocks, or of some."""
        return cast(list[Ticker], self.transport.get("/ticker", symbol=symbols or None)["items"])

    def sparklines(self, interval: str = "5m", points: int = 60) -> list[Document]:
        """How the prices of all stocks have come here: each {symbol, closes}."""
        return cast(list[Document], self.transport.get("/sparklines", interval=interval, points=points)["items"])

    def price(self, symbol: str, trades: int = 50) -> Document:
        """The last price, and the mean of the last trades."""
        return cast(Document, self.transport.get(f"/stocks/{symbol}/price", trades=trades))

    def book(self, symbol: str, depth: int = 10, group: int | None = None) -> Book:
        """The best levels; with `group` each of so many ticks, and then up to 500 a side."""
        return cast(Book, self.transport.get(f"/stocks/{symbol}/book", depth=depth, group=group))

    def book_entry(self, symbol: str, order_id: int) -> Document:
        """One order in a book: its price, what remains of it, its place in the queue and the shares before it."""
        return cast(Document, self.transport.get(f"/stocks/{symbol}/book/{order_id}"))

    def tape(self, symbol: str, limit: int | None = 50) -> Iterator[Document]:
        """The trades of a stock, newest first."""
        return self.transport.items(f"/stocks/{symbol}/trades", limit)

    def tape_events(self, symbol: str, after: int, epoch: str | None = None) -> Iterator[Document]:
        """Everything on the tape of a stock behind the number `after`, oldest first. Raises Refused `start_anew`."""
        return self.transport.items(f"/stocks/{symbol}/events", after=after, epoch=epoch)

    def candles(self, symbol: str, interval: str = "1m", limit: int | None = None, **more: Any) -> Iterator[Candle]:
        """Candles, oldest first; `more`: `from_`, `to`, `fill`."""
        return self.transport.items(f"/stocks/{symbol}/candles", limit, interval=interval, **renamed(more))

    def indicatives(self, symbol: str, limit: int | None = 50) -> Iterator[Document]:
        """What the auctions of a stock would have brought, newest first."""
        return self.transport.items(f"/stocks/{symbol}/indicative", limit)

    def symbols(self, wanted: Sequence[str] = ()) -> list[str]:
        """The symbols of all stocks, or those of `wanted` that are listed."""
        return [stock["symbol"] for stock in self.stocks(*wanted)]
