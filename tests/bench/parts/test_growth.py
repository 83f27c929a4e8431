"""What is written in bulk is what trading would have left; a large exchange is compared with the mean of two small."""

from __future__ import annotations

import pytest

from bench.figures import Figure
from bench.parts.growth import Loads, add_closed_orders, compared
from bench.world.history import add_open_orders
from bench.world.world import World


def test_an_exchange_made_in_bulk_is_clean() -> None:
    with World(stocks=3, brokers=4) as world:
        add_closed_orders(world, 100)
        add_open_orders(world, 50)
        orders = dict(world.rows("SELECT status, count(*) FROM orders GROUP BY status"))
        report = world.verified()
        sequences = {tuple(row) for row in world.rows("SELECT command_sequence, event_sequence FROM stocks")}
    assert orders == {"cancelled": 50, "filled": 50, "open": 150}
    assert [str(finding) for check in report.checks for finding in check.findings] == []
    assert report.replayed
    assert sequences == {(2 * 17 + 2 * 9 + 50, 9), (2 * 17 + 2 * 8 + 50, 8), (2 * 16 + 2 * 8 + 50, 8)}


def test_compared_with_the_mean_of_the_small_before_and_after() -> None:
    small = [Loads(0.2, 4.0, 10.0, ""), Loads(0.3, 6.0, 10.0, "")]
    figures: list[Figure] = list(compared("large", Loads(0.25, 10.0, 8.0, ""), small))
    assert [figure.value for figure in figures] == pytest.approx([1.0, 2.0, 0.8])
    assert [all(target.met(figure.value) for target in figure.targets) for figure in figures] == [True, False, True]
