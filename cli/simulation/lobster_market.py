"""A real stock's day as a LOBSTER file of its best prices tells it: what happened, and the best prices each second."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from bench.world.likeness import Glimpse, Likeness
from bench.world.paper_market import Happening, Kind
from cli.order_flow.lobster_messages import DELETION, ENTRY, EXECUTION, REDUCTION, Message
from engine import ASK, BID
from simulator.view import Side

KINDS: Final[dict[int, Kind]] = {ENTRY: "new", REDUCTION: "cancel", DELETION: "cancel", EXECUTION: "trade"}

WARMING_SECONDS: Final = 60.0
"""Before it is known what is at the best prices: a file says nothing of what was there when it began."""


class BestPrices:
    """The best prices by messages that concern only these, and the shares that are known to be at them."""

    def __init__(self) -> None:
        self._prices: dict[int, int] = {}
        self._orders: dict[int, tuple[int, int, int]] = {}
        self._levels: dict[int, dict[int, int]] = {BID: {}, ASK: {}}

    def take(self, message: Message) -> None:
        """Heed one message: its price is the best one of its side now, for better ones are gone without a word."""
        if message.type == ENTRY:
            self._orders[message.id] = message.price, message.shares, message.side
            level = self._levels[message.side]
            level[message.price] = level.get(message.price, 0) + message.shares
        else:
            self._leave(message.id, message.shares if message.type != DELETION else None)
        self._prices[message.side] = message.price
        for price in [one for one in self._levels[message.side] if (one - message.price) * message.side > 0]:
            for order_id in [
                number for number, (at, _, side) in self._orders.items() if (at, side) == (price, message.side)
            ]:
                self._leave(order_id, None)

    def glimpse(self) -> Glimpse | None:
        """The best prices; None where they are not known, or cross."""
        bid, ask = self._prices.get(BID), self._prices.get(ASK)
        if bid is None or ask is None or bid >= ask or not (self._levels[BID] and self._levels[ASK]):
            return None
        return Glimpse(bid, ask, (self._levels[BID][max(self._levels[BID])], self._levels[ASK][min(self._levels[ASK])]))

    def _leave(self, order_id: int, shares: int | None) -> None:
        if order_id not in self._orders:
            return
        price, there, side = self._orders[order_id]
        gone = there if shares is None else min(there, shares)
        level = self._levels[side]
        level[price] -= gone
        if not level[price]:
            del level[price]
        if gone == there:
            del self._orders[order_id]
        else:
            self._orders[order_id] = price, there - gone, side


def real(messages: Iterable[Message]) -> Likeness:
    """What such a file says of a stock."""
    best, glimpses, happened = BestPrices(), list[Glimpse](), list[Happening]()
    next_at = None
    for message in messages:
        next_at = message.at + WARMING_SECONDS if next_at is None else next_at
        while message.at >= next_at:
            seen = best.glimpse() or (glimpses[-1] if glimpses else None)
            if seen is not None:
                glimpses.append(seen)
            next_at += 1
        best.take(message)
        side: Side = "bid" if message.side == BID else "ask"
        happened.append(Happening(message.at, KINDS[message.type], side, message.price, message.shares))
    return Likeness(happened, glimpses)
