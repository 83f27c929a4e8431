"""A mixed load is fixed by its seed, and has the rates and shares that it is said to have."""

from __future__ import annotations

from collections import Counter

import pytest

from bench.loads.schedule import READ_KINDS, Kind, Market, crossing_pairs, mixed_schedule, requests_for, zipf_weights

MARKET = Market(stocks=450, brokers=100, middle=10_000, spread=20)


def test_the_same_seed_gives_the_same_load() -> None:
    first = list(mixed_schedule(MARKET, 700, 2, seed=1))
    assert first == list(mixed_schedule(MARKET, 700, 2, seed=1))
    assert first != list(mixed_schedule(MARKET, 700, 2, seed=2))


def test_700_orders_a_second_bring_cancels_and_reads_on_top() -> None:
    assert requests_for(700) == pytest.approx(1312.5)
    counted = Counter(due.kind for due in mixed_schedule(MARKET, 700, 100, seed=1))
    reads = sum(counted[kind] for kind in READ_KINDS)
    assert counted[Kind.ORDER] / 100 == pytest.approx(700, rel=0.02)
    assert counted[Kind.CANCEL] / counted[Kind.ORDER] == pytest.approx(0.35, rel=0.03)
    assert reads / sum(counted.values()) == pytest.approx(0.28, rel=0.03)
    assert all(counted[kind] / reads == pytest.approx(0.25, rel=0.05) for kind in READ_KINDS)


def test_arrivals_are_a_poisson_process() -> None:
    times = [due.at for due in mixed_schedule(MARKET, 700, 100, seed=1)]
    assert times == sorted(times)
    assert 0 < times[0] <= times[-1] < 100
    in_each_second = Counter(int(at) for at in times)
    mean = len(times) / 100
    variance = sum((in_each_second[second] - mean) ** 2 for second in range(100)) / 100
    assert 0.6 < variance / mean < 1.6, "the variance of a Poisson count is its mean"


def test_the_most_traded_stock_gets_zipfs_share() -> None:
    weights = zipf_weights(450)
    assert weights[0] == 1.0
    assert weights[1] - weights[0] == pytest.approx(2**-0.95)
    drawn = Counter(due.stock for due in mixed_schedule(MARKET, 700, 100, seed=1))
    total = sum(drawn.values())
    assert drawn[0] / total == pytest.approx(1 / weights[-1], rel=0.05)
    assert drawn[0] > drawn[9] > drawn[99] > drawn[399] > 0


def test_what_is_drawn_lies_where_it_may() -> None:
    for due in mixed_schedule(Market(stocks=3, brokers=2, middle=100, spread=5), 50, 10, seed=1):
        assert 0 <= due.stock < 3
        assert 0 <= due.broker < 2
        assert 95 <= due.price <= 105
        assert due.quantity % 10 == 0
        assert 10 <= due.quantity <= 1000


def test_crossing_pairs_meet_and_are_never_of_one_broker() -> None:
    pairs = list(crossing_pairs(brokers=4, price=100, trades=50, seconds=2))
    assert len(pairs) == 200
    for ask, bid in zip(pairs[::2], pairs[1::2], strict=True):
        assert (ask.at, ask.side, bid.side) == (bid.at, "ask", "bid")
        assert ask.broker != bid.broker
        assert (ask.price, ask.quantity) == (bid.price, bid.quantity)
    assert pairs[2].at - pairs[0].at == pytest.approx(0.02)
