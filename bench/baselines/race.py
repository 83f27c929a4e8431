"""The engines in turns, in one process: what `bench.parts.engine` starts in the environment that has the peers.

    python -m bench.baselines.race '{"orders": 100000, "rounds": 5, "seed": 1}'

Prints one JSON object: for each spread and engine the orders a second of its best round, and the shares that rest at
the end. Machines drift; engines that take turns drift together, and the best round is the least disturbed one.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import logging
import random
import sys
from collections.abc import Mapping
from typing import Final

from bench.baselines.engines import PEERS, Engine, Stream, minex, minex_live
from engine import ASK, BID

MIDDLE: Final = 10_000
"""Cents: the prices of a stream lie evenly around this, as far as its spread goes."""

SPREADS: Final = (5, 50, 500)
"""Cents."""


def random_stream(orders: int, spread: int, seed: int) -> Stream:
    """Bids and asks alike, prices within `spread` cents of the middle, 1 to 100 shares."""
    choose = random.Random(seed)
    return [
        (choose.choice((BID, ASK)), choose.randint(MIDDLE - spread, MIDDLE + spread), choose.randint(1, 100))
        for _ in range(orders)
    ]


def best_of(engines: Mapping[str, Engine], stream: Stream, rounds: int) -> dict[str, tuple[float, int]]:
    """Orders a second in the best of `rounds`, and the shares that rest at the end, for each of `engines`."""
    best = dict.fromkeys(engines, (0.0, 0))
    for _ in range(rounds):
        for name, engine in engines.items():
            gc.collect()
            seconds, shares = engine(stream)
            best[name] = max(best[name], (len(stream) / seconds, shares))
    return best


def main() -> None:
    """Race whatever is installed here."""
    wanted = json.loads(sys.argv[1])
    logging.disable(logging.INFO)  # pyorderbook logs every order, if only to nobody
    installed = {name: engine for name, engine in PEERS.items() if importlib.util.find_spec(name)}
    engines = {"minex": minex, "minex_live": minex_live, **installed}
    found = {
        spread: best_of(engines, random_stream(wanted["orders"], spread, wanted["seed"]), wanted["rounds"])
        for spread in SPREADS
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
