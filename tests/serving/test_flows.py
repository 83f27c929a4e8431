"""Given what somebody has used of late, then the shorter his requests run in one go, and it is forgotten."""

from __future__ import annotations

from itertools import pairwise

import pytest

from serving.flows import LITTLE_SECONDS, MUCH_SECONDS, SHORT_SLICE_SECONDS, SLICE_SECONDS, Payer


def slice_after(seconds: float) -> float:
    payer = Payer()
    payer.charge(seconds, 100.0)
    return payer.slice_at(100.0)


def test_the_more_somebody_has_used_the_shorter_is_his_go() -> None:
    assert slice_after(0) == slice_after(LITTLE_SECONDS) == SLICE_SECONDS
    slices = [slice_after(LITTLE_SECONDS + n * (MUCH_SECONDS - LITTLE_SECONDS) / 10) for n in range(11)]
    assert all(longer > shorter for longer, shorter in pairwise(slices))
    assert slices[-1] == pytest.approx(SHORT_SLICE_SECONDS)
    assert slice_after(10) == pytest.approx(SHORT_SLICE_SECONDS)


def test_what_was_used_is_forgotten() -> None:
    payer = Payer()
    payer.charge(2 * MUCH_SECONDS, 100.0)
    assert payer.has_used_much(100.1)
    assert not payer.has_used_much(101.0)
    assert payer.slice_at(105.0) == SLICE_SECONDS
