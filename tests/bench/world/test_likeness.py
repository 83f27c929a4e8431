"""Figures of a market, of markets where they can be told by hand."""

from __future__ import annotations

from random import Random

import pytest

from bench.world.likeness import Glimpse, Likeness, excess_kurtosis, live, quantile
from bench.world.paper_market import Happening, PaperMarket
from simulator import Plan, SimulatedStock

EVEN = Likeness(
    [Happening(float(at), "new" if at % 2 else "trade", "bid", 100, 100 + at) for at in range(100)],
    [Glimpse(9_999 + at % 2, 10_001 + at % 2, (100, 300)) for at in range(100)],
)


def test_of_a_market_that_goes_like_a_clock() -> None:
    assert EVEN.rate() == pytest.approx(100 / 99)
    assert EVEN.shares_of("new") == EVEN.shares_of("trade") == 0.5
    assert set(EVEN.gaps()) == {1.0}
    assert EVEN.dispersion(1) == EVEN.dispersion(10) == 0
    assert EVEN.sizes() == list(range(101, 200, 2))
    assert EVEN.depths() == [100] * 100 + [300] * 100
    assert quantile(EVEN.spreads(), 0.5) == pytest.approx(2, rel=1e-3)


def test_a_price_that_only_comes_and_goes_moves_less_over_longer_times() -> None:
    assert EVEN.volatility(1) > 5
    assert EVEN.volatility(2) == 0


def test_tails_are_measured_by_those_of_a_normal_distribution() -> None:
    random = Random(1)
    assert excess_kurtosis(random.gauss(0, 3) for _ in range(20_000)) == pytest.approx(0, abs=0.15)
    assert excess_kurtosis([*[0.0] * 998, 50.0, -50.0]) > 100


def test_a_simulated_market_is_glimpsed_each_second() -> None:
    plan = Plan(("PETR4",), rate=3, seed=2)
    seen = live(PaperMarket(SimulatedStock("PETR4", 22_000, plan), 22_000), 300)
    assert 280 < len(seen.glimpses) <= 300
    assert {one.kind for one in seen.happened} == {"new", "cancel", "trade"}
    assert seen.dispersion(10) > 3
