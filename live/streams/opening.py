"""How a stream begins: with the whole of each channel, or with what has come since it was here last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import gevent
from sqlalchemy import Engine

from database.autocommit import autocommitting
from live.feeds.books import BookFeed
from live.feeds.feed import Feed
from live.feeds.hub import Hub
from live.feeds.latest import CandlesFeed, LatestFeed, PricesFeed
from live.feeds.message import Batch, Message
from live.feeds.numbered import NumberedFeed
from live.streams.position import Position
from live.streams.stream import Stream
from services.accounts.account_events import last_account_events, read_account_events
from services.market_data.candles.candle_messages import candles_since
from services.market_data.candles.intervals import INTERVALS
from services.market_data.positions import read_behind, read_positions

AT_ONCE: Final = 200
"""Events that are read and sent together to one who comes back."""

LOOK_SECONDS: Final = 0.05
"""How often it is looked whether a client has taken what it was sent."""

OVERLAP: Final = 5_000_000
"""Microseconds: prices are told again that may have come out of their order."""


class CannotGoOn(Exception):
    """What came behind the position is no longer kept, or the position has never been."""


class Opening:
    """Brings one stream after the other to where its channels stand, and has it follow from there on."""

    def __init__(self, hub: Hub, engine: Engine, most_events: int) -> None:
        """`most_events`: of one channel that are told to one who comes back."""
        self._hub = hub
        self._engine = engine
        self._most_events = most_events

    def open(self, stream: Stream, feeds: Mapping[str, Feed], position: Position | None, *, came_back: bool) -> None:
        """`position`: behind which it goes on; None where it has none. `came_back`: with a word that is not understood.

        Raises what PostgreSQL raises, and OSError when its client is gone.
        """
        if position is not None and position.epoch == self._hub.epoch:
            stream.numbers = dict(zip(feeds, position.numbers, strict=True))
            try:
                for (name, feed), number in zip(feeds.items(), position.numbers, strict=True):
                    self._go_on(stream, name, feed, number)
            except CannotGoOn:
                self._begin(stream, feeds, reset=True)
        else:
            self._begin(stream, feeds, reset=came_back or position is not None)
        stream.flush()

    def _begin(self, stream: Stream, feeds: Mapping[str, Feed], *, reset: bool) -> None:
        """Nothing waits in here, so everything that comes is behind what is told now."""
        for feed in feeds.values():
            feed.leave(stream)
        for feed in feeds.values():
            feed.join(stream)
        stream.numbers = {name: feed.number for name, feed in feeds.items()}
        if reset:
            self._hub.tell_reset(stream)
        for name, feed in feeds.items():
            if isinstance(feed, BookFeed):
                stream.put(name, Batch((feed.whole(resync=False),)))
            elif isinstance(feed, PricesFeed):
                _put(stream, name, feed.messages())
            elif isinstance(feed, CandlesFeed):
                _put(stream, name, feed.messages()[-1:])

    def _go_on(self, stream: Stream, name: str, feed: Feed, number: int) -> None:
        if isinstance(feed, NumberedFeed):
            self._catch_up(stream, feed, number)
        elif isinstance(feed, BookFeed):
            feed.join(stream)
            if feed.number != number:
                stream.put(name, Batch((feed.whole(resync=True),)))
        elif isinstance(feed, CandlesFeed):
            self._tell_candles(stream, feed, number)
        elif isinstance(feed, LatestFeed):
            feed.join(stream)
            _put(stream, name, [message for message in feed.messages() if (message.number or 0) > number - OVERLAP])

    def _catch_up(self, stream: Stream, feed: NumberedFeed, number: int) -> None:
        """All events behind a number, each once and in order, whatever comes meanwhile."""
        if number > feed.number:
            self._refuse_ahead(feed, number)
        if feed.number - number > self._most_events:
            raise CannotGoOn
        while (recent := feed.behind(number)) is None:
            messages = self._read(feed, number)
            if not messages or messages[0].number != number + 1:
                raise CannotGoOn
            stream.put(feed.name, Batch(messages))
            stream.flush()
            number = messages[-1].number or number
            while stream.is_behind:
                gevent.sleep(LOOK_SECONDS)
        if recent:
            stream.put(feed.name, Batch(recent))
        feed.join(stream, max(number, feed.number))

    def _refuse_ahead(self, feed: NumberedFeed, number: int) -> None:
        """Another process may have told what this one has not heard of yet; nobody can have told what is not."""
        kind, _, key = feed.name.partition(":")
        with autocommitting(self._engine) as session:
            if kind == "stock":
                stands = read_positions(session, [key])[1].get(key, (0, 0))[0]
            else:
                broker_id = _broker_of(feed)
                stands = last_account_events(session, [broker_id])[broker_id]
        if number > stands:
            raise CannotGoOn

    def _read(self, feed: NumberedFeed, number: int) -> list[Message]:
        kind, _, key = feed.name.partition(":")
        with autocommitting(self._engine) as session:
            if kind == "stock":
                events = read_behind(session, {key: number}, AT_ONCE)[key]
                return [Message(event.kind, event.payload, event.sequence) for event in events]
            own = list(read_account_events(session, _broker_of(feed), number, AT_ONCE))
        return [Message(each["event"], each["payload"], each["account_sequence"]) for each in own]

    def _tell_candles(self, stream: Stream, feed: CandlesFeed, number: int) -> None:
        """The candles that are others since the tape stood there."""
        _, symbol, interval = feed.name.split(":")
        with autocommitting(self._engine) as session:
            payloads = candles_since(session, symbol, INTERVALS[interval], number, datetime.now(UTC))
        for payload in payloads:
            if feed.differs(payload):
                feed.add(payload)
        feed.join(stream)
        starts = {payload["start"] for payload in (*payloads, *feed.payloads()[-1:])}
        _put(stream, feed.name, [message for message in feed.messages() if message.payload["start"] in starts])


def _put(stream: Stream, name: str, messages: list[Message]) -> None:
    if messages:
        stream.put(name, Batch(messages))


def _broker_of(feed: NumberedFeed) -> int:
    return int(feed.name.partition("/")[2])
