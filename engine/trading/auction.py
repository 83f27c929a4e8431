"""The auction: everything trades at one price, the one at which the most can (call auction, "uncrossing").

The price is chosen by five rules, each among what the one before it leaves:

1. every tick from the lowest to the highest limit, and the reference, inside the band;
2. the largest executable volume;
3. the least surplus, bought or sold;
4. the highest price where all of these have a surplus of bids, the lowest where all have one of asks;
5. the nearest to the reference, the higher of two as near; without a reference the highest.

Then market orders trade first, then better prices, then older orders. A market order with a protection price comes with
the limit orders at that price, before them: nothing may be left that crosses. What an iceberg hides takes part.
Self-trade prevention does not: nobody chooses whom he meets in an auction. The price becomes the reference, as on
Xetra, whose static reference is the last auction's.
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from engine.resting.ladder import NOTHING
from engine.terms.events import AuctionTrade, Event, Indicative
from engine.terms.rules import NO_LIMIT
from engine.trading.barred import drop_outside_band

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.resting.ladder import Ladder
    from engine.resting.side import BookSide
    from engine.terms.orders import Level, Order

Piece = tuple[int, int, int, int]
"""(lowest price, highest price, volume, surplus): neighbouring ticks at which the same would trade."""


def is_crossed(book: Ladder) -> bool:
    """True if something would trade if the orders could match."""
    for side, other in ((book.bids, book.asks), (book.asks, book.bids)):
        if side.market.count and (other.market.count or other.best is not None):
            return True
    return limits_cross(book)


def limits_cross(book: Ladder) -> bool:
    """True if the best bid is at or above the best ask."""
    bid, ask = book.bids.best, book.asks.best
    return bid is not None and ask is not None and bid.price >= ask.price


def equilibrium(book: Ladder) -> Indicative:
    """The price, volume and surplus of the auction if it ended now; `NOTHING` if nothing would trade."""
    if not is_crossed(book):
        return NOTHING
    pieces = list(_pieces(book))
    volume = max((piece[2] for piece in pieces), default=0)
    if not volume:
        return NOTHING
    pieces = [piece for piece in pieces if piece[2] == volume]
    least = min(abs(piece[3]) for piece in pieces)
    pieces = [piece for piece in pieces if abs(piece[3]) == least]
    price = _price(pieces, book.reference, book.rules.tick)
    surplus = next(piece[3] for piece in pieces if piece[0] <= price <= piece[1])
    return Indicative(price, volume, surplus)


def uncross(book: Ladder, events: list[Event]) -> None:
    """Trade what the auction brings, if anything, and cancel what still crosses: outside the band it cannot trade."""
    found = equilibrium(book)
    if found.price is not None:
        _trade(book, found.price, found.volume, events)
    for side in (book.bids, book.asks):
        if limits_cross(book):
            drop_outside_band(book, side, -NO_LIMIT, events)
    if found.price is not None:
        book.last_price = book.reference = found.price


def _trade(book: Ladder, price: int, volume: int, events: list[Event]) -> None:
    """Trade `volume` shares at `price`: on one side that is all that anybody wants to, so nobody else's turn comes."""
    bids, asks = _in_turn(book.bids), _in_turn(book.asks)
    bid, ask = next(bids), next(asks)
    while True:
        quantity = min(bid.remaining, ask.remaining)
        older, younger = (bid, ask) if bid.priority < ask.priority else (ask, bid)
        book.fill(bid, price, quantity)
        book.fill(ask, price, quantity)
        events.append(AuctionTrade(older, younger, price, quantity))
        volume -= quantity
        if not volume:
            return
        bid = bid if bid.remaining else next(bids)
        ask = ask if ask.remaining else next(asks)


def _in_turn(side: BookSide) -> Iterator[Order]:
    """The orders of `side` in the order in which they trade; who is willing to at a price comes before who is not."""
    orders = [*side.market, *(order for level in side for order in level)]
    return iter(sorted(orders, key=lambda order: -NO_LIMIT if order.price is None else -order.price * side.sign))


def _price(pieces: list[Piece], reference: int | None, tick: int) -> int:
    """The price that rules 4 and 5 choose; the reference itself need be no multiple of the tick."""
    lowest, highest = min(piece[0] for piece in pieces), max(piece[1] for piece in pieces)
    surpluses = [piece[3] for piece in pieces]
    if max(surpluses) < 0:
        return lowest
    if min(surpluses) > 0 or reference is None:
        return highest
    beside = (reference // tick * tick, -(-reference // tick) * tick)
    nearest = [min(max(price, piece[0]), piece[1]) for piece in pieces for price in beside]
    return min(nearest, key=lambda price: (abs(price - reference), -price))


def _pieces(book: Ladder) -> Iterator[Piece]:
    """All prices that may be chosen, put together where the same would trade."""
    bids, asks = _Curve(book, book.bids, book.asks), _Curve(book, book.asks, book.bids)
    for lowest, highest in _ranges(book, bids.prices | asks.prices):
        wanted, offered = bids.at(lowest), asks.at(lowest)
        yield lowest, highest, min(wanted, offered), wanted - offered


def _ranges(book: Ladder, prices: set[int]) -> Iterator[tuple[int, int]]:
    """Rule 1, as ranges of ticks between which no order begins or ceases to take part: that happens at `prices`."""
    tick = book.rules.tick
    ends = [side.levels[side.keys[place]].price for side in (book.bids, book.asks) if side.keys for place in (0, -1)]
    first, last = (max(min(ends), book.lowest), min(max(ends), book.highest)) if ends else (1, 0)
    inside = {price for price in prices if first < price < last}
    edges = sorted(inside | {first, last}) if first <= last else []
    for price in edges:
        if price % tick == 0:
            yield price, price
    for below, above in pairwise(edges):
        lowest, highest = below - below % tick + tick, (above - 1) // tick * tick
        if lowest <= highest:
            yield lowest, highest
    reference = book.reference
    if reference is not None and reference % tick == 0:
        yield reference, reference


def _that_count(book: Ladder, side: BookSide, other: BookSide) -> Iterator[Level]:
    """The levels of `side` that have a part in the price, best first.

    Those that meet the other side's best, and as many as its market orders may take, down to a price that may be
    chosen: beyond it the volume is no larger, and the surplus only grows. One level more shows that it does. A book may
    be deep, and nearly all of it far from where it crosses.
    """
    gathered, enough = 0, False
    for level in side:
        yield level
        if enough:
            return
        gathered += level.quantity + level.hidden
        meets = other.best is not None and level.key >= other.best.price * side.sign
        may_be_chosen = book.lowest <= level.price <= book.highest and level.price % book.rules.tick == 0
        enough = may_be_chosen and not meets and gathered >= other.market.quantity


class _Curve:
    """How much one side would trade at each price."""

    def __init__(self, book: Ladder, side: BookSide, other: BookSide) -> None:
        quantities: dict[int, int] = {}
        self.always = 0
        for level in _that_count(book, side, other):
            quantities[level.key] = level.quantity + level.hidden
        for order in side.market:
            if order.price is None:
                self.always += order.remaining
            else:
                key = order.price * side.sign
                quantities[key] = quantities.get(key, 0) + order.remaining
        self.sign = side.sign
        self.keys = sorted(quantities)
        """Price × side: who is more eager comes later."""
        self.sums = [0, *accumulate(quantities[key] for key in reversed(self.keys))]
        self.prices = {key * side.sign for key in self.keys}

    def at(self, price: int) -> int:
        """Shares that would be bought, or sold, at `price`."""
        eager = len(self.keys) - bisect_left(self.keys, price * self.sign)
        return self.always + self.sums[eager]
