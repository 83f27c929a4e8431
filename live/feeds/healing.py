"""Whatever did not come by way of Redis is noticed and read from PostgreSQL.

Where each followed stock and broker stands is looked up every second. What was committed a second ago and has not come
is missing; while Redis is away all that is new is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Engine

from database.autocommit import autocommitting
from database.statements import Statements
from live.feeds.books import BookFeed
from live.feeds.hub import Hub
from live.feeds.latest import CandlesFeed, LatestFeed, PricesFeed
from live.feeds.loading import Loading
from live.feeds.message import Message
from live.feeds.numbered import NumberedFeed
from services.accounts.account_events import last_account_events, read_account_events
from services.market_data.candles.candle_messages import last_candles
from services.market_data.candles.intervals import INTERVALS
from services.market_data.positions import read_behind, read_positions
from services.market_data.price_board import all_prices

LOOK_SECONDS: Final = 1.0

AWAY_SECONDS: Final = 0.25
"""While Redis is away, and so how late everything is then."""

AT_ONCE: Final = 200
"""Events of one tape or broker that are read together."""


class Healing:
    """Looks up where everything stands, and brings the feeds there that have missed something."""

    def __init__(self, hub: Hub, engine: Engine, loading: Loading, hears: Callable[[], bool]) -> None:
        """`hears`: whether announcements come just now; else whatever is new has been missed."""
        self._hub = hub
        self._engine = engine
        self._loading = loading
        self._hears = hears
        self._heard = False
        self._looked_at = float("-inf")
        self._stood: dict[str, int] = {}
        """Where feeds stood when this was looked up last."""

    def run_once(self) -> None:
        """Look up what is due to be, and tell what comes of it."""
        now = time.monotonic()
        every = LOOK_SECONDS if self._hears() else AWAY_SECONDS
        if now - self._looked_at >= every:
            self._looked_at = now
            self.look()
        else:
            self.heal()
        self._hub.flush()

    def look(self) -> None:
        """Look everything up once. Raises what PostgreSQL raises."""
        hears = self._hears()
        missed = not hears or not self._heard
        self._heard = hears
        with autocommitting(self._engine) as session:
            self._look(session, missed=missed)
        self._hub.drop_idle()

    def heal(self) -> None:
        """Read what feeds lack that have heard of more than they have."""
        gaps = [feed for feed in self._hub.feeds.values() if isinstance(feed, NumberedFeed) and feed.has_gap]
        if gaps:
            with autocommitting(self._engine) as session:
                self._catch_up(session, gaps)

    def _look(self, session: Statements, *, missed: bool) -> None:
        feeds = list(self._hub.feeds.values())
        accounts = {int(feed.name.partition("/")[2]): feed for feed in feeds if "/" in feed.name}
        symbols = {feed.name.partition(":")[2] for feed in feeds if feed.name.startswith(("stock:", "book:"))}
        epoch, positions = read_positions(session, symbols)
        last = last_account_events(session, accounts) if accounts else {}
        if epoch != self._hub.epoch:
            self._begin_anew(session, epoch, positions, last)
            return
        stands = {f"account/{broker_id}": number for broker_id, number in last.items()}
        for symbol, (tape, book) in positions.items():
            stands[f"stock:{symbol}"], stands[f"book:{symbol}"] = tape, book
        due = stands if missed else {name: min(self._stood.get(name, 0), stands[name]) for name in stands}
        self._stood = stands
        late = [feed for feed in feeds if feed.name in due and feed.number < due[feed.name]]
        ahead = [feed for feed in feeds if feed.name in stands and feed.number > stands[feed.name]]
        self._catch_up(session, [feed for feed in late if isinstance(feed, NumberedFeed)])
        self._show(session, [feed for feed in (*late, *ahead) if isinstance(feed, BookFeed)])
        if missed:
            self._tell_latest(session, [feed for feed in feeds if isinstance(feed, LatestFeed)])

    def _catch_up(self, session: Statements, feeds: list[NumberedFeed]) -> None:
        tapes = {feed.name.partition(":")[2]: feed for feed in feeds if ":" in feed.name}
        while tapes:
            found = read_behind(session, {symbol: feed.number for symbol, feed in tapes.items()}, AT_ONCE)
            for symbol, events in found.items():
                if events and events[0].sequence > tapes[symbol].number + 1:  # what is between is no longer kept
                    self._hub.reset(tapes[symbol], events[-1].sequence)
                for event in events:
                    tapes[symbol].add(Message(event.kind, event.payload, event.sequence))
                if len(events) < AT_ONCE:
                    del tapes[symbol]
        for feed in [feed for feed in feeds if ":" not in feed.name]:
            broker_id = int(feed.name.partition("/")[2])
            while events := list(read_account_events(session, broker_id, feed.number, AT_ONCE)):
                for each in events:
                    feed.add(Message(each["event"], each["payload"], each["account_sequence"]))

    def _show(self, session: Statements, feeds: list[BookFeed]) -> None:
        if not feeds:
            return
        books = self._loading.books(session, [feed.book.symbol for feed in feeds])
        for feed in feeds:
            book = books.get(feed.book.symbol)
            if book is not None and book.book_sequence < feed.number:  # what was shown there never was
                feed.begin_anew(book)
            elif book is not None:
                feed.show(book)

    def _tell_latest(self, session: Statements, feeds: list[LatestFeed]) -> None:
        for payload, feed in self._latest(session, feeds):
            if feed.differs(payload):
                feed.add(payload)

    def _latest(self, session: Statements, feeds: list[LatestFeed]) -> list[tuple[dict[str, Any], LatestFeed]]:
        found: list[tuple[dict[str, Any], LatestFeed]] = []
        for feed in feeds:
            if isinstance(feed, PricesFeed):
                found += [(price, feed) for price in all_prices(session)]
        candles = {_candles_of(feed.name): feed for feed in feeds if isinstance(feed, CandlesFeed)}
        if candles:
            for key, (_, last) in last_candles(session, list(candles), datetime.now(UTC)).items():
                if last is not None:
                    found.append((last, candles[key]))
        return found

    def _begin_anew(
        self, session: Statements, epoch: str, positions: Mapping[str, tuple[int, int]], last: Mapping[int, int]
    ) -> None:
        """Another epoch: nobody can go on from what it knows. Everybody is told so, and then the whole."""
        is_first, self._hub.epoch = not self._hub.epoch, epoch
        feeds = list(self._hub.feeds.values())
        for feed in feeds:
            kind, _, key = feed.name.partition(":")
            if isinstance(feed, NumberedFeed):
                number = positions.get(key, (0, 0))[0] if kind == "stock" else last[int(feed.name.partition("/")[2])]
                feed.begin_anew(epoch, number)
            elif isinstance(feed, LatestFeed):
                feed.begin_anew(epoch)
        if not is_first:
            for listener in {listener for feed in feeds for listener in feed.members}:
                self._hub.tell_reset(listener)
        books = [feed for feed in feeds if isinstance(feed, BookFeed)]
        for symbol, book in self._loading.books(session, [feed.book.symbol for feed in books]).items():
            found = self._hub.book(symbol)
            if found is not None:
                found.begin_anew(book)
        self._stood = {}
        self._tell_latest(session, [feed for feed in feeds if isinstance(feed, LatestFeed)])


def _candles_of(name: str) -> tuple[str, int]:
    _, symbol, interval = name.split(":")
    return symbol, INTERVALS[interval]
