"""QUEUE: where one's own orders stand at their prices, told to their owner at most once a second."""

from __future__ import annotations

import time
from typing import Final

from sqlalchemy import Engine

from database.autocommit import autocommitting
from live.feeds.hub import Hub
from live.feeds.message import Message
from live.feeds.numbered import NumberedFeed
from services.market_data.places import places_of_brokers

SECONDS: Final = 1.0
"""From one look to the next, at least."""

SHARE: Final = 20
"""A look that takes long is followed by a pause so many times as long."""

Places = dict[int, dict[str, int]]


class Queues:
    """Looks at the queues of those who follow their own events, where their stocks' books have changed."""

    def __init__(self, hub: Hub, engine: Engine) -> None:
        self._hub = hub
        self._engine = engine
        self._told: dict[int, Places] = {}
        self._not_before = 0.0

    def run_once(self) -> None:
        """Tell what is another place now. Raises what PostgreSQL raises."""
        began = time.monotonic()
        feeds = self._hub.followed_accounts()
        for broker_id in self._told.keys() - feeds.keys():
            del self._told[broker_id]
        if began < self._not_before or not feeds or not self._hub.touched:
            return
        touched, self._hub.touched = self._hub.touched, set()
        with autocommitting(self._engine) as session:
            found = places_of_brokers(session, feeds, touched)
        for broker_id, places in found.items():
            self._tell(feeds[broker_id], broker_id, places)
        self._not_before = time.monotonic() + max(SECONDS, (time.monotonic() - began) * SHARE)

    def _tell(self, feed: NumberedFeed, broker_id: int, places: Places) -> None:
        known = self._told.setdefault(broker_id, {})
        orders = [
            {"order_id": order_id, "place": place["place"], "quantity_ahead": place["quantity_ahead"]}
            for order_id, place in places.items()
            if known.get(order_id) != place
        ]
        known.update(places)
        if orders:
            feed.add(Message("QUEUE", {"orders": orders}))
