"""How like a real stock the simulated one is, on the bare engine: a trading day in seconds, the same each time.

Beside each figure that of Amazon on 2012-06-21 (NASDAQ, 57,515 messages of the best prices, lobsterdata.com), where the
best prices and the shares at them are reckoned from the messages. The pictures are in docs/simulator.md.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from bench.figures import Figure
from bench.options import Options
from bench.world.likeness import Likeness, excess_kurtosis, live, quantile
from bench.world.paper_market import PaperMarket
from simulator import Plan, SimulatedStock

PART: Final = "simulator"

DAY_SECONDS: Final = 6.5 * 3_600
PRICE: Final = 22_200
"""Cents, and orders and cancels a second: those of the stock beside which it is laid."""
RATE: Final = 2.0


def trading_day(seed: int = 1) -> Likeness:
    """A day of one simulated stock that costs and is traded as much as that one."""
    plan = Plan(("AMZN",), rate=RATE, seed=seed)
    return live(PaperMarket(SimulatedStock("AMZN", PRICE, plan), PRICE), DAY_SECONDS)


def measure(options: Options) -> Iterator[Figure]:
    """The figures of a day, and what it took to reckon it."""
    began = time.process_time()
    day = trading_day(options.seed)
    taken = time.process_time() - began
    gaps, spreads, depths, sizes = day.gaps(), day.spreads(), day.depths(), day.sizes()
    for what, value, unit, amazon in (
        ("new orders, cancels and trades", day.rate(), "/s", "2.4"),
        ("of these new orders", day.shares_of("new") * 100, "%", "50"),
        ("of these cancels", day.shares_of("cancel") * 100, "%", "33"),
        ("of these trades", day.shares_of("trade") * 100, "%", "16"),
        ("time between two, median by mean", quantile(gaps, 0.5), "", "0.005"),
        ("time between two, 99th of 100 by mean", quantile(gaps, 0.99), "", "15"),
        ("variance by mean of counts in a second", day.dispersion(1), "", "16"),
        ("variance by mean of counts in a minute", day.dispersion(60), "", "51"),
        ("spread, median", quantile(spreads, 0.5), "bps", "4.9"),
        ("spread, 95th of 100", quantile(spreads, 0.95), "bps", "8.9"),
        ("shares at the best price, median", quantile(depths, 0.5), "", "100"),
        ("shares at the best price, 95th of 100", quantile(depths, 0.95), "", "506"),
        ("volatility by seconds", day.volatility(1), "bps/√min", "6.9"),
        ("volatility by minutes", day.volatility(60), "bps/√min", "7.2"),
        ("excess kurtosis of returns of a minute", excess_kurtosis(day.returns(60)), "", "2.5"),
        ("orders of exactly 100 shares", sizes.count(100) / len(sizes) * 100, "%", "50"),
    ):
        yield Figure(PART, what, round(value, 4), unit, remark=f"Amazon {amazon}")
    yield Figure(PART, "processor, of a day's seconds", taken / DAY_SECONDS * 100, "%", remark="no exchange in it")
