"""The race is deterministic, fair in what it counts, and says so where a ratio would mean nothing."""

from __future__ import annotations

import math

from bench.baselines.engines import minex, minex_live
from bench.baselines.race import best_of, random_stream
from bench.parts.engine import ratios
from engine import ASK, BID


def test_a_stream_is_fixed_by_its_seed() -> None:
    stream = random_stream(1_000, 50, seed=1)
    assert stream == random_stream(1_000, 50, seed=1) != random_stream(1_000, 50, seed=2)
    assert {side for side, _, _ in stream} == {BID, ASK}
    assert all(9_950 <= price <= 10_050 and 1 <= quantity <= 100 for _, price, quantity in stream)


def test_shares_that_did_not_trade_rest() -> None:
    assert minex([(BID, 100, 30), (ASK, 100, 10), (ASK, 101, 5)])[1] == 25
    assert minex_live([(BID, 10_000, 30), (ASK, 10_000, 10)])[1] == 20


def test_the_best_round_counts() -> None:
    seconds = iter([2.0, 0.5, 1.0])
    best = best_of({"one": lambda stream: (next(seconds), 7)}, [(BID, 1, 1)] * 10, rounds=3)
    assert best == {"one": (20.0, 7)}


def test_a_peer_that_is_missing_or_differs_has_no_ratio() -> None:
    raced = {"minex": (300.0, 5), "minex_live": (200.0, 4), "lightmatchingengine": (100.0, 5), "obook": (100.0, 6)}
    figures = {figure.what.rpartition(" ")[2]: figure for figure in ratios("narrow", raced)}
    assert figures["lightmatchingengine"].value == 3.0
    assert math.isnan(figures["obook"].value)
    assert figures["obook"].remark == "the books differ: 6 and 5 shares"
    assert "--install-peers" in figures["pyorderbook"].remark
