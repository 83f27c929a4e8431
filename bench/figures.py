"""What a measurement gives: figures, each with what is to be reached, and what must hold for any of them to count."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


class CannotMeasure(Exception):
    """Something that a part needs is not on this machine or not in this exchange; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """A bound that a figure is to reach, in the figure's unit."""

    bound: float
    at_least: bool = True

    def met(self, value: float) -> bool:
        """True if `value` reaches the bound; a figure that does not exist (not a number) reaches none."""
        return value >= self.bound if self.at_least else value <= self.bound

    @property
    def sign(self) -> str:
        """The sign that is written before the bound's number."""
        return "≥" if self.at_least else "≤"


def at_least(*bounds: float) -> tuple[Target, ...]:
    """Steps to climb one after the other, the nearest first."""
    return tuple(Target(bound) for bound in bounds)


def at_most(*bounds: float) -> tuple[Target, ...]:
    """Steps to go down, the nearest first."""
    return tuple(Target(bound, at_least=False) for bound in bounds)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value of one part of the bench, in `unit`, with its targets and a remark.

    A figure that is `vital` decides whether the run counts at all: that the books balance, that nothing stayed
    unmatched. Others only say how far one has come.
    """

    part: str
    what: str
    value: float
    unit: str = ""
    targets: tuple[Target, ...] = ()
    remark: str = ""
    vital: bool = False

    @property
    def sound(self) -> bool:
        """False for a vital figure that misses a target."""
        return not self.vital or all(target.met(self.value) for target in self.targets)

    def document(self) -> dict[str, Any]:
        """The figure for programs; a value that does not exist is null."""
        targets = [
            {"at_least" if target.at_least else "at_most": target.bound, "met": target.met(self.value)}
            for target in self.targets
        ]
        value = None if math.isnan(self.value) else self.value
        return {**dataclasses.asdict(self), "value": value, "targets": targets}


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of `values` lie, interpolated; not a number where there are none."""
    if not values:
        return math.nan
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def ratio(value: float, base: float) -> float:
    """`value` in units of `base`; not a number where there is no base."""
    return value / base if base else math.nan


def mean(values: Sequence[float]) -> float:
    """The arithmetic mean; not a number where there are none."""
    return sum(values) / len(values) if values else math.nan
