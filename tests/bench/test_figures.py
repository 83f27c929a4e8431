"""A figure knows whether it reaches its targets, and percentiles are what statisticians mean by them."""

from __future__ import annotations

import json
import math

import pytest

from bench.figures import Figure, at_least, at_most, mean, percentile, ratio
from bench.options import Options
from bench.run import Findings


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([7.0], 0.99, 7.0),
        ([1.0, 2.0], 0.5, 1.5),
        ([3.0, 1.0, 2.0], 0.0, 1.0),
        ([3.0, 1.0, 2.0], 1.0, 3.0),
        (list(range(101)), 0.99, 99.0),
        ([0.0, 10.0], 0.25, 2.5),
    ],
)
def test_a_percentile_is_interpolated_between_neighbours(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == pytest.approx(expected)


def test_nothing_measured_is_not_zero() -> None:
    assert math.isnan(percentile([], 0.5))
    assert math.isnan(mean([]))
    assert math.isnan(ratio(1.0, 0.0))


def test_a_value_that_does_not_exist_reaches_no_target() -> None:
    (low,), (high,) = at_least(0.0), at_most(100.0)
    assert not low.met(math.nan)
    assert not high.met(math.nan)


@pytest.mark.parametrize(("value", "met"), [(0.21, 0), (0.22, 1), (0.35, 2), (0.49, 2), (0.7, 3)])
def test_steps_are_climbed_one_after_the_other(value: float, met: int) -> None:
    assert sum(step.met(value) for step in at_least(0.22, 0.35, 0.5)) == met


def test_only_a_vital_figure_decides_whether_the_run_counts() -> None:
    slow = Figure("rest", "of the bare endpoint", 0.1, "", at_least(0.22))
    broken = Figure("rest", "verify --replay", 1, "findings", at_most(0), vital=True)
    assert Findings(Options(), [slow]).sound
    assert not Findings(Options(), [slow, broken]).sound
    assert not Findings(Options()).sound
    assert not Findings(Options(), [slow], broken={"batch": "TimeoutError"}).sound


def test_the_document_is_json_with_each_target_and_whether_it_is_met() -> None:
    figures = [Figure("rest", "ratio", 0.3, "", at_least(0.22, 0.35), "12 refused"), Figure("mixed", "p99", math.nan)]
    document = json.loads(json.dumps(Findings(Options(), figures, skipped={"batch": "no wrk"}).document()))
    assert document["sound"] is True
    assert document["skipped"] == {"batch": "no wrk"}
    assert {"seconds": 10, "stocks": 450, "brokers": 100, "seed": 1}.items() <= document["options"].items()
    first, second = document["figures"]
    assert first["targets"] == [{"at_least": 0.22, "met": True}, {"at_least": 0.35, "met": False}]
    assert (first["part"], first["what"], first["value"], first["remark"]) == ("rest", "ratio", 0.3, "12 refused")
    assert second["value"] is None
