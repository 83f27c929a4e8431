"""How many random limit orders a second the matching core takes, next to lightmatchingengine if that is installed.

    python -m bench.engine [--orders 100000] [--rounds 5] [--seed 1]

Each stream goes through every engine in turns, in one process, and the best round of each counts: absolute figures
drift with the machine, the ratio does not. Making the order is part of the time, as in life. `minex` and the peer must
end with the same shares in the book; otherwise there is no ratio. `minex as live` prevents self-trades, and differs.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import random
import time
from collections.abc import Callable
from typing import Final

from engine import ASK, BID, Book, New, Order, Rules

Stream = list[tuple[int, int, int]]
"""Side, price in cents, quantity in shares."""
Engine = Callable[[Stream], tuple[float, int]]
"""Takes a stream, and gives the seconds that it took and the shares that rest at the end."""

MIDDLE: Final = 10_000
"""Cents: the prices of a stream lie evenly around this, as far as its spread goes."""
SPREADS: Final = (5, 50, 500)
PEER: Final = "lightmatchingengine"


def random_stream(orders: int, spread: int, seed: int) -> Stream:
    """Bids and asks alike, prices within `spread` cents of the middle, 1 to 100 shares."""
    choose = random.Random(seed)
    return [
        (choose.choice((BID, ASK)), choose.randint(MIDDLE - spread, MIDDLE + spread), choose.randint(1, 100))
        for _ in range(orders)
    ]


def minex(stream: Stream) -> tuple[float, int]:
    """Orders of nobody's: no self-trade is looked for, as the peer looks for none."""
    book = Book(Rules())
    apply = book.apply
    start = time.perf_counter()
    for number, (side, price, quantity) in enumerate(stream):
        apply(New(Order(number, None, side, "limit", price, quantity)), 0)
    return time.perf_counter() - start, sum(order.remaining for order in book.orders.values())


def minex_live(stream: Stream) -> tuple[float, int]:
    """Orders as the exchange has them: 100 customers behind them, self-trades prevented, a price band, time passing."""
    book = Book(Rules(band_bps=1000), MIDDLE)
    apply = book.apply
    customers = [(broker, f"{broker:011}") for broker in range(100)]
    start = time.perf_counter()
    for number, (side, price, quantity) in enumerate(stream):
        apply(New(Order(number, customers[number % 100], side, "limit", price, quantity, "day")), number)
    return time.perf_counter() - start, sum(order.remaining for order in book.orders.values())


def peer(stream: Stream) -> tuple[float, int]:
    """lightmatchingengine 2019.1.4 from PyPI."""
    from lightmatchingengine.lightmatchingengine import LightMatchingEngine, Side  # noqa: PLC0415 - may be missing

    engine = LightMatchingEngine()
    add_order = engine.add_order
    start = time.perf_counter()
    for side, price, quantity in stream:
        add_order("MINX3", price, quantity, Side.BUY if side == BID else Side.SELL)
    seconds = time.perf_counter() - start
    book = engine.order_books["MINX3"]
    levels = [*book.bids.values(), *book.asks.values()]
    return seconds, sum(order.leaves_qty for level in levels for order in level)


def best_of(engines: dict[str, Engine], stream: Stream, rounds: int) -> dict[str, tuple[float, int]]:
    """Orders a second in the best of `rounds`, and the shares that rest at the end, for each of `engines`."""
    best = dict.fromkeys(engines, (0.0, 0))
    for _ in range(rounds):
        for name, engine in engines.items():
            gc.collect()
            seconds, shares = engine(stream)
            best[name] = max(best[name], (len(stream) / seconds, shares))
    return best


def main() -> None:
    """Print one line for each stream and engine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    engines: dict[str, Engine] = {"minex": minex, "minex as live": minex_live}
    if importlib.util.find_spec(PEER):
        engines[PEER] = peer
    else:
        print(f"{PEER} is not installed: pip install {PEER} to compare")
    for spread in SPREADS:
        stream = random_stream(options.orders, spread, options.seed)
        best = best_of(engines, stream, options.rounds)
        print(f"{options.orders:,} orders within {spread} cents of the middle, best of {options.rounds}")
        for name, (rate, shares) in best.items():
            print(f"  {name:20} {rate:>10,.0f} orders/s   {shares:>9,} shares rest   {ratio(best, name)}".rstrip())


def ratio(best: dict[str, tuple[float, int]], name: str) -> str:
    """How many times as fast as the peer, if both came to the same end."""
    if PEER not in best or name == PEER:
        return ""
    if best["minex"][1] != best[PEER][1]:
        return "the books differ"
    return f"{best[name][0] / best[PEER][0]:.2f} ×"


if __name__ == "__main__":
    main()
