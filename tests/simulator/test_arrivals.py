"""Arrivals cluster, and their clusters end."""

from __future__ import annotations

import itertools
from collections import Counter
from random import Random

import pytest

from simulator.arrivals import Arrivals

HOUR = 3_600.0


def times(base: float, ratio: float, seed: int, until: float = HOUR, most: int = 1_000) -> list[float]:
    arrivals = Arrivals(base, ratio, Random(seed), most)
    return list(itertools.takewhile(lambda at: at < until, iter(arrivals.next, None)))


def spread_of_counts(found: list[float], seconds: float, until: float = HOUR) -> float:
    """The variance of the counts in windows, by their mean: 1 where arrivals know nothing of each other."""
    counts = Counter(int(at / seconds) for at in found)
    windows = [counts.get(number, 0) for number in range(int(until / seconds))]
    mean = sum(windows) / len(windows)
    return sum((count - mean) ** 2 for count in windows) / len(windows) / mean


def test_one_a_second_by_itself_and_half_as_many_from_each_are_two() -> None:
    rates = [len(times(1, 0.5, seed)) / HOUR for seed in range(10)]
    assert sum(rates) / len(rates) == pytest.approx(2, rel=0.02)
    assert rates == pytest.approx([2] * len(rates), rel=0.05)


def test_they_come_as_often_from_the_beginning() -> None:
    first = [len(times(0.8, 0.6, seed, until=20)) / 20 for seed in range(400)]
    assert sum(first) / len(first) == pytest.approx(2, rel=0.1)


def test_they_cluster_more_with_more_of_them_brought_about() -> None:
    alone, some, many = (spread_of_counts(times(2 * (1 - ratio), ratio, 7), 60) for ratio in (0, 0.5, 0.8))
    assert alone == pytest.approx(1, abs=0.4)
    assert alone * 2 < some < many


@pytest.mark.parametrize("ratio", [1, 1.5, -0.1])
def test_clusters_that_would_never_end_are_refused(ratio: float) -> None:
    with pytest.raises(ValueError, match=r"ratio of -?\d"):
        Arrivals(1, ratio, Random(1))


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="base rate"):
        Arrivals(0, 0.5, Random(1))


def test_no_second_has_more_than_the_most() -> None:
    found = times(3, 0.95, 3, until=900, most=25)
    assert len(found) > 5_000
    assert all(later - earlier >= 1 for earlier, later in zip(found, found[25:], strict=False))


def test_what_stirs_brings_them_about() -> None:
    arrivals = Arrivals(1, 0.5, Random(5))
    calm = arrivals.rate
    arrivals.excite(50)
    assert arrivals.rate > 100 * calm
    assert sum(1 for _ in itertools.takewhile(lambda at: at < 60, iter(arrivals.next, None))) > 130


def test_the_same_seed_gives_the_same_times() -> None:
    assert times(1, 0.8, 11, until=60) == times(1, 0.8, 11, until=60) != times(1, 0.8, 12, until=60)
