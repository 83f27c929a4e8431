"""When each request of a mixed load is due, and what it asks for: fixed beforehand, whatever the answers.

Arrivals are a Poisson process, stocks are drawn by Zipf's law, brokers and sides evenly. The same seed gives the same
schedule. Which of its own orders a client cancels or reads depends on the answers, and is not in the schedule.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

CANCELS: Final = 0.35
"""Cancels for each order."""

BASE: Final = 700
"""Orders a second that are called 100 %."""

READS: Final = 0.28
"""Of all requests."""

ZIPF: Final = 0.95
"""The exponent: the stock of rank k gets a share proportional to k ** -ZIPF."""


class Kind(Enum):
    """The kinds of requests."""

    ORDER = "order"
    CANCEL = "cancel"
    BOOK = "book"
    PRICE = "price"
    OWN_ORDER = "own order"
    BALANCE = "balance"


READ_KINDS: Final = (Kind.BOOK, Kind.PRICE, Kind.OWN_ORDER, Kind.BALANCE)
"""Drawn evenly."""


@dataclass(frozen=True, slots=True)
class Due:
    """One request: due `at` seconds after the start, of a broker on a stock (their places in the lists of both)."""

    at: float
    kind: Kind
    stock: int
    broker: int
    side: str
    price: int
    """Cents."""
    quantity: int
    """Shares."""


@dataclass(frozen=True, slots=True)
class Market:
    """The numbers of stocks and brokers to draw from, and prices within `spread` cents of the `middle`."""

    stocks: int
    brokers: int
    middle: int
    spread: int


def requests_for(orders: float) -> float:
    """Requests a second, all kinds together, that bring so many orders a second."""
    return orders * (1 + CANCELS) / (1 - READS)


def zipf_weights(stocks: int, exponent: float = ZIPF) -> list[float]:
    """Cumulative weights of the stocks, the most traded first."""
    return list(itertools.accumulate((rank + 1) ** -exponent for rank in range(stocks)))


def mixed_schedule(market: Market, orders: float, seconds: float, seed: int) -> Iterator[Due]:
    """Requests for `seconds`, with `orders` orders a second on average, and its share of cancels and reads."""
    choose = random.Random(seed)
    weights = zipf_weights(market.stocks)
    stocks = range(market.stocks)
    rate = requests_for(orders)
    at = choose.expovariate(rate)
    while at < seconds:
        yield Due(
            at,
            _kind(choose),
            choose.choices(stocks, cum_weights=weights)[0],
            choose.randrange(market.brokers),
            choose.choice(("bid", "ask")),
            market.middle + choose.randint(-market.spread, market.spread),
            10 * choose.randint(1, 100),
        )
        at += choose.expovariate(rate)


def crossing_pairs(brokers: int, price: int, trades: float, seconds: float) -> Iterator[Due]:
    """An ask and a bid that meet, evenly `trades` times a second, on the first stock.

    Every second broker only sells and the others only buy, so that nobody trades with itself in whatever order the
    requests arrive.
    """
    pairs = brokers // 2
    for n in range(int(trades * seconds)):
        seller = 2 * (n % pairs)
        yield Due(n / trades, Kind.ORDER, 0, seller, "ask", price, 10)
        yield Due(n / trades, Kind.ORDER, 0, seller + 1, "bid", price, 10)


def _kind(choose: random.Random) -> Kind:
    drawn = choose.random()
    if drawn < READS:
        return choose.choice(READ_KINDS)
    return Kind.ORDER if drawn < READS + (1 - READS) / (1 + CANCELS) else Kind.CANCEL
