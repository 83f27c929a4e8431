"""Feeds are begun from PostgreSQL, and what they have missed of Redis is read there: it alone says what is true.

So a message that Redis lost is late and not missing, and all goes on while Redis is away.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from sqlalchemy import Engine

from database.autocommit import autocommitting
from database.statements import Statements
from live.channels import BOOK, CANDLES, PRICES, STOCK, Channel
from live.feeds.books import BookFeed
from live.feeds.feed import Feed
from live.feeds.hub import Hub, private
from live.feeds.latest import CandlesFeed, PricesFeed
from live.feeds.numbered import NumberedFeed
from live.feeds.shown_book import DEPTH, ShownBook
from queues.book_cache import BookCache
from services.accounts.account_events import last_account_events
from services.market_data.book import read_books
from services.market_data.candles.candle_messages import last_candles
from services.market_data.positions import read_positions
from services.market_data.price_board import all_prices
from serving.places import Places
from serving.present import pause

STOCKS_AT_ONCE: Final = 50
"""Looked up together, before others have their turn."""

LOOK_UPS: Final = 4
"""Requests that are looked up at the same time: a crowd of subscribers must leave connections for those who come."""

Found = TypeVar("Found")
Thing = TypeVar("Thing")


class Loading:
    """Begins feeds where somebody wants to follow them. Whatever PostgreSQL raises is raised."""

    def __init__(self, hub: Hub, engine: Engine, cache: BookCache, snapshot_interval: float) -> None:
        """`snapshot_interval`: seconds between two snapshots of a book for everybody."""
        self._hub = hub
        self._engine = engine
        self._cache = cache
        self._interval = snapshot_interval
        self._looking_up = Places(LOOK_UPS)

    def load(self, channels: Sequence[Channel]) -> None:
        """Begin what is not followed yet; channels of stocks that are not listed get no feed."""
        missing = [channel for channel in channels if not self._hub.keep(channel.room)]
        for kind, begin in ((STOCK, self._tapes), (BOOK, self._books), (CANDLES, self._candles)):
            of_kind = [channel for channel in missing if channel.kind == kind]
            for some in _pieces(of_kind):
                for feed in self.read(begin, some):
                    self._hub.add(feed)
        if any(channel.kind == PRICES for channel in missing):
            for feed in self.read(self._prices, ()):
                self._hub.add(feed)

    def load_account(self, broker_id: int) -> NumberedFeed:
        """The feed of a broker's own events."""
        if not self._hub.keep(private(broker_id)):
            number = self.read(last_account_events, (broker_id,))[broker_id]
            self._hub.add(NumberedFeed(private(broker_id), self._hub.epoch, number))
        feed = self._hub.account(broker_id)
        assert feed is not None  # noqa: S101 - it was just added
        return feed

    def read(self, read: Callable[[Statements, Sequence[Thing]], Found], things: Sequence[Thing]) -> Found:
        """What `read` finds of these things, in a connection's turn; then others have theirs."""
        with self._looking_up.one(), autocommitting(self._engine) as session:
            if not self._hub.epoch:
                self._hub.epoch, _ = read_positions(session, ())
            found = read(session, things)
        pause()
        return found

    def books(self, session: Statements, symbols: Collection[str]) -> dict[str, ShownBook]:
        """The books of these stocks as they are now."""
        found = read_books(session, symbols, self._cache.get_all(list(symbols)), DEPTH)
        return {symbol: ShownBook(symbol, self._hub.epoch, book) for symbol, book in found.items()}

    def _tapes(self, session: Statements, channels: Sequence[Channel]) -> list[Feed]:
        epoch, found = read_positions(session, [channel.symbol for channel in channels])
        return [
            NumberedFeed(channel.room, epoch, found[channel.symbol][0])
            for channel in channels
            if channel.symbol in found
        ]

    def _books(self, session: Statements, channels: Sequence[Channel]) -> list[Feed]:
        found = self.books(session, [channel.symbol for channel in channels])
        return [
            BookFeed(channel.room, found[channel.symbol], self._interval)
            for channel in channels
            if channel.symbol in found
        ]

    def _candles(self, session: Statements, channels: Sequence[Channel]) -> list[Feed]:
        found = last_candles(session, [(channel.symbol, channel.seconds) for channel in channels], datetime.now(UTC))
        feeds: list[Feed] = []
        for channel in channels:
            sequence, last = found.get((channel.symbol, channel.seconds), (None, None))
            if sequence is not None:
                feeds.append(CandlesFeed(channel.room, self._hub.epoch, sequence, [] if last is None else [last]))
        return feeds

    def _prices(self, session: Statements, _: Sequence[Any]) -> list[Feed]:
        return [PricesFeed(self._hub.epoch, all_prices(session))]


def _pieces(channels: Sequence[Channel]) -> list[Sequence[Channel]]:
    return [channels[begin : begin + STOCKS_AT_ONCE] for begin in range(0, len(channels), STOCKS_AT_ONCE)]
