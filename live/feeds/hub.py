"""All feeds of this process: what is announced comes in, and whoever follows is brought up to date."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import gevent

from live.channels import ACCOUNT, Channel
from live.feeds.books import BookFeed
from live.feeds.feed import Feed, Listener
from live.feeds.latest import LatestFeed
from live.feeds.message import Batch, Message
from live.feeds.numbered import NumberedFeed
from live.feeds.shown_book import ShownBook
from services.timestamps import timestamp

LISTENERS_AT_ONCE: Final = 250
"""Sends before other greenlets have their turn: about 2 ms."""

EVERYTHING: Final = ""
"""In the place of a channel's name: what is about all of them."""

KEPT_SECONDS: Final = 30.0
"""How long a feed is kept that nobody follows."""


class Hub:
    """Feeds by channel. Private ones are known by their broker, and by nothing that a client could name."""

    def __init__(self, heartbeat_seconds: float = 15.0) -> None:
        self.epoch = ""
        self._heartbeat_seconds = heartbeat_seconds
        self.listeners: dict[Listener, None] = {}
        self.feeds: dict[str, Feed] = {}
        self.changed_books: set[str] = set()
        """Symbols of followed books that are others now, and have to be looked at."""
        self.touched: set[str] = set()
        """Symbols of all books that are others since the queues were looked at."""

    def tape(self, symbol: str) -> NumberedFeed | None:
        """The feed of a stock's tape, if anybody follows it."""
        feed = self.feeds.get(f"stock:{symbol}")
        return feed if isinstance(feed, NumberedFeed) else None

    def account(self, broker_id: int) -> NumberedFeed | None:
        """The feed of a broker's own events, likewise."""
        feed = self.feeds.get(private(broker_id))
        return feed if isinstance(feed, NumberedFeed) else None

    def followed_accounts(self) -> dict[int, NumberedFeed]:
        """The feeds of brokers' own events that somebody follows, by broker."""
        found = {}
        for name, feed in self.feeds.items():
            if isinstance(feed, NumberedFeed) and feed.members and name.startswith(f"{ACCOUNT}/"):
                found[int(name.partition("/")[2])] = feed
        return found

    def book(self, symbol: str) -> BookFeed | None:
        """The feed of a stock's book, likewise."""
        feed = self.feeds.get(f"book:{symbol}")
        return feed if isinstance(feed, BookFeed) else None

    def keep(self, name: str) -> bool:
        """Whether there is such a feed; then it stays for a while, though nobody may follow it yet."""
        feed = self.feeds.get(name)
        if feed is not None:
            feed.left_alone_at = time.monotonic()
        return feed is not None

    def add(self, feed: Feed) -> Feed:
        """A feed that has just been loaded; the one that is there already, if somebody was quicker."""
        return self.feeds.setdefault(feed.name, feed)

    def follow(self, listener: Listener, channel: Channel) -> dict[str, Any]:
        """Join a feed that has been added; its snapshot, behind which everything comes."""
        feed = self.feeds[channel.room]
        feed.join(listener)
        return feed.snapshot()

    def forget(self, listener: Listener) -> None:
        """It is gone."""
        self.listeners.pop(listener, None)
        for feed in list(listener.feeds.values()):
            feed.leave(listener)

    def take_turn(self, messages: Iterable[Mapping[str, Any]], books: Iterable[str]) -> None:
        """What a turn of the matching announced. Raises whatever junk makes it raise."""
        for message in messages:
            room, payload = message["room"], message["payload"]
            kind, _, key = room.partition(":")
            name = private(int(key)) if kind == "user" else room
            feed = self.feeds.get(name)
            if isinstance(feed, NumberedFeed):
                number = payload.get("account_sequence" if kind == "user" else "sequence")
                feed.add(Message(message["event"], payload, None if number is None else int(number)))
        for symbol in books:
            self.touched.add(symbol)
            if f"book:{symbol}" in self.feeds:
                self.changed_books.add(symbol)

    def take_report(self, messages: Iterable[Mapping[str, Any]]) -> None:
        """What the reporter announced. Raises whatever junk makes it raise."""
        for message in messages:
            feed = self.feeds.get(message["room"])
            if isinstance(feed, LatestFeed):
                feed.add(message["payload"])

    def show(self, symbol: str, book: Mapping[str, Any]) -> None:
        """The book of a stock as it is now."""
        feed = self.book(symbol)
        if feed is not None:
            feed.show(ShownBook(symbol, self.epoch, book))

    def reset(self, feed: NumberedFeed, number: int) -> None:
        """What a feed lacks is nowhere to be had: its members are told so, and go on behind this number."""
        feed.begin_anew(self.epoch, number)
        for listener in feed.members:
            self.tell_reset(listener)

    def tell_reset(self, listener: Listener) -> None:
        """Nobody can go on from what it knows: this is where its channels stand now."""
        payload = {"epoch": self.epoch, "channels": self.positions(listener)}
        listener.put(EVERYTHING, Batch((Message("RESET", payload),)))
        listener.flush()

    def beat(self, now: datetime) -> None:
        """Tell those whose turn it is where their channels stand, so that they notice what they may have missed."""
        due = time.monotonic() - self._heartbeat_seconds
        for number, listener in enumerate([each for each in self.listeners if each.beaten_at <= due], 1):
            self.beat_one(listener, now)
            if number % LISTENERS_AT_ONCE == 0:
                gevent.sleep(0)

    def beat_one(self, listener: Listener, now: datetime) -> None:
        """Tell one of them."""
        listener.beaten_at = time.monotonic()
        payload = {"at": timestamp(now), "channels": self.positions(listener)}
        listener.put(EVERYTHING, Batch((Message("HEARTBEAT", payload),)))
        listener.flush()

    def flush(self) -> None:
        """Send everybody what there is for them."""
        written: dict[Listener, None] = {}
        now = time.monotonic()
        for feed in list(self.feeds.values()):
            if feed.is_lagging:
                feed.flush(written)
            if isinstance(feed, BookFeed):
                feed.show_top(now, written)
        for number, listener in enumerate(written, 1):
            listener.flush()
            if number % LISTENERS_AT_ONCE == 0:
                gevent.sleep(0)

    def drop_idle(self) -> None:
        """Forget feeds that nobody has followed for a while."""
        oldest = time.monotonic() - KEPT_SECONDS
        for name in [name for name, feed in self.feeds.items() if not feed.members and feed.left_alone_at < oldest]:
            del self.feeds[name]

    def positions(self, listener: Listener) -> dict[str, int]:
        """How far a listener has been told of its channels, by the names that it knows them by."""
        return {public_name(name): feed.told(listener) for name, feed in listener.feeds.items()}


def private(broker_id: int) -> str:
    """The name of the feed of a broker's own events. No channel that a client may name looks like it."""
    return f"{ACCOUNT}/{broker_id}"


def public_name(name: str) -> str:
    """What its owner calls a feed."""
    return ACCOUNT if name.startswith(f"{ACCOUNT}/") else name
