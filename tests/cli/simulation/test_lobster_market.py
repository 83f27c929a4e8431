"""What a file of a stock's best prices tells, message by message."""

from __future__ import annotations

from bench.world.likeness import Glimpse
from cli.order_flow.lobster_messages import read_messages
from cli.simulation.lobster_market import BestPrices, real

LINES = [
    "0,1,1,100,1000000,1",
    "0,1,2,50,1001000,-1",
    "1,1,3,40,1000000,1",
    "2,1,4,70,1000500,1",  # a better bid
    "3,4,4,20,1000500,1",
]


def best_after(lines: list[str]) -> Glimpse | None:
    best = BestPrices()
    for message in read_messages(lines):
        best.take(message)
    return best.glimpse()


def test_the_best_prices_are_those_that_messages_are_about() -> None:
    assert best_after(LINES[:1]) is None
    assert best_after(LINES[:3]) == Glimpse(10_000, 10_010, (140, 50))
    assert best_after(LINES) == Glimpse(10_005, 10_010, (50, 50))


def test_a_price_that_is_heard_of_again_says_that_better_ones_are_gone() -> None:
    assert best_after([*LINES, "4,1,5,10,1000000,1"]) == Glimpse(10_000, 10_010, (150, 50))


def test_what_is_deleted_or_cut_leaves_the_rest() -> None:
    assert best_after([*LINES[:3], "2,3,1,100,1000000,1", "3,2,3,15,1000000,1"]) == Glimpse(10_000, 10_010, (25, 50))


def test_a_day_has_what_happened_and_a_glimpse_each_second() -> None:
    day = real(read_messages([*LINES, "63,3,2,50,1001000,-1", "64,1,9,10,1001500,-1"]))
    assert [one.kind for one in day.happened] == ["new"] * 4 + ["trade", "cancel", "new"]
    assert day.glimpses == [Glimpse(10_005, 10_010, (50, 50))] * 5
