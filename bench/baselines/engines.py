"""Matching engines from PyPI and ours, each fed the same stream of random limit orders.

Every engine is used as its own documentation shows, with its trades told as they happen. Making the order is part of
the time, as in life. Only the standard library and `engine` are needed here: it runs in the peers' environment.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from engine import ASK, BID, Book, New, Order, Rules

Stream = list[tuple[int, int, int]]
"""Side, price in cents, quantity in shares."""

Engine = Callable[[Stream], tuple[float, int]]
"""Takes a stream, and gives the seconds that it took and the shares that rest at the end."""

SYMBOL: Final = "MINX3"


def minex(stream: Stream) -> tuple[float, int]:
    """Orders of nobody's: no self-trade is looked for, as the peers look for none."""
    book = Book(Rules())
    apply = book.apply
    start = time.perf_counter()
    for number, (side, price, quantity) in enumerate(stream):
        apply(New(Order(number, None, side, "limit", price, quantity)), 0)
    return time.perf_counter() - start, sum(order.remaining for order in book.orders.values())


def minex_live(stream: Stream) -> tuple[float, int]:
    """Orders as the exchange has them: 100 customers behind them, self-trades prevented, a price band, time passing."""
    book = Book(Rules(band_bps=1000), 10_000)
    apply = book.apply
    customers = [(broker, f"{broker:011}") for broker in range(100)]
    start = time.perf_counter()
    for number, (side, price, quantity) in enumerate(stream):
        apply(New(Order(number, customers[number % 100], side, "limit", price, quantity, "day")), number)
    return time.perf_counter() - start, sum(order.remaining for order in book.orders.values())


def lightmatchingengine(stream: Stream) -> tuple[float, int]:
    """Pure Python; an order's trades are what `add_order` answers."""
    from lightmatchingengine.lightmatchingengine import LightMatchingEngine, Side  # noqa: PLC0415 - may be missing

    engine = LightMatchingEngine()
    add_order = engine.add_order
    sides = {BID: Side.BUY, ASK: Side.SELL}
    start = time.perf_counter()
    for side, price, quantity in stream:
        add_order(SYMBOL, price, quantity, sides[side])
    seconds = time.perf_counter() - start
    book = engine.order_books[SYMBOL]
    levels = [*book.bids.values(), *book.asks.values()]
    return seconds, sum(order.leaves_qty for level in levels for order in level)


def pyorderbook(stream: Stream) -> tuple[float, int]:
    """Pure Python with Decimal prices; `match` answers the trades."""
    from pyorderbook import Book as Peer  # noqa: PLC0415 - may be missing
    from pyorderbook import ask, bid  # noqa: PLC0415 - may be missing

    book = Peer()
    match = book.match
    makers = {BID: bid, ASK: ask}
    start = time.perf_counter()
    for side, price, quantity in stream:
        match(makers[side](SYMBOL, price, quantity))
    return time.perf_counter() - start, sum(order.quantity for order in book.order_map.values())


def orderly_chaos(stream: Stream) -> tuple[float, int]:
    """C++ behind ctypes; a handler hears of each trade."""
    from orderly_chaos import LimitOrderBook, Side  # noqa: PLC0415 - may be missing

    trades: list[Any] = []
    book = LimitOrderBook(on_trade=trades.append)
    limit = book.limit
    sides = {BID: Side.BUY, ASK: Side.SELL}
    start = time.perf_counter()
    for number, (side, price, quantity) in enumerate(stream):
        limit(sides[side], number, quantity, price)
    return time.perf_counter() - start, book.volume_buy() + book.volume_sell()


def obook(stream: Stream) -> tuple[float, int]:
    """Native, behind ctypes; what happened is asked for after each order."""
    import obook as peer  # noqa: PLC0415 - may be missing

    with peer.Book(max_orders=len(stream) + 1) as book:
        submit, events = book.submit, book.events
        sides = {BID: peer.BUY, ASK: peer.SELL}
        start = time.perf_counter()
        for number, (side, price, quantity) in enumerate(stream):
            submit(number + 1, sides[side], price, quantity)
            events()
        seconds = time.perf_counter() - start
        return seconds, sum(order.qty - order.filled for order in book.book())


PEERS: Final[dict[str, Engine]] = {
    "lightmatchingengine": lightmatchingengine,
    "pyorderbook": pyorderbook,
    "orderly_chaos": orderly_chaos,
    "obook": obook,
}
"""By the name of the module that each needs."""
