"""Who takes turns: the connections and their payers, with what they have used of late."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any, Protocol

MEMORY_SECONDS = 1.0
"""After which two thirds of what somebody has used are forgotten."""

SLICE_SECONDS = 0.02
"""How long requests run before the loop looks again who has come meanwhile, and a long one lets others go first. Much
shorter would cost: what is worked on in one go finds its data in the processor's cache, and is stored together."""

LITTLE_SECONDS, MUCH_SECONDS = 0.05, 0.2
SHORT_SLICE_SECONDS = 0.002
"""For whoever has used more than little of late it is the shorter the more it was, down to this for whoever has used
much: others must hardly notice him."""

PENALTY = 100
"""Seconds by which everybody stands back for each second that he has used of late."""

BEGUN_PENALTY = 20
"""Likewise for a request that has had a turn, from when it came: what is soon done goes before those who come later."""


class Usage:
    """What somebody has used of the processor of late."""

    __slots__ = ("_at", "_used")

    def __init__(self) -> None:
        self._used = self._at = 0.0

    def charge(self, seconds: float, now: float) -> None:
        """He has used so much more."""
        self._used = self._used * math.exp((self._at - now) / MEMORY_SECONDS) + seconds
        self._at = now

    def used(self, now: float) -> float:
        """What he has used of late, in seconds."""
        return self._used * math.exp((self._at - now) / MEMORY_SECONDS)

    def place(self, now: float) -> float:
        """His place in line if he comes now: when he would have come without having used anything."""
        return now + PENALTY * self.used(now)


class Payer(Usage):
    """Somebody who is charged for what his connections use."""

    __slots__ = ("__weakref__", "is_waiting", "queue")

    def __init__(self) -> None:
        super().__init__()
        self.is_waiting = False
        """Whether he has a place in line, or one of his connections has its turn just now."""
        self.queue: list[tuple[float, int, Flow, Any]] = []
        """His connections that wait: each with its place, a number, and its greenlet's waiter."""

    def slice_at(self, now: float) -> float:
        """For how many seconds requests like his may run before the loop looks again who has come."""
        used = self.used(now)
        if used <= LITTLE_SECONDS:
            return SLICE_SECONDS
        share = min(1.0, (used - LITTLE_SECONDS) / (MUCH_SECONDS - LITTLE_SECONDS))
        return SLICE_SECONDS - share * (SLICE_SECONDS - SHORT_SLICE_SECONDS)

    def has_used_much(self, now: float) -> bool:
        """Whether it is so much that he has to stand back wherever others wait."""
        return self.used(now) > MUCH_SECONDS


class TurnGiver(Protocol):
    """Whoever gives a connection its turns: `serving.turns.Turns`, whose methods these are."""

    def payer(self, name: Hashable) -> Payer: ...
    def enter(self, flow: Flow) -> None: ...
    def again(self, flow: Flow) -> None: ...
    def let_in(self, flow: Flow, seconds: float) -> None: ...
    def charge(self, flow: Flow, size: int) -> None: ...


class Flow(Usage):
    """One connection. `payer` is charged for it."""

    __slots__ = ("_name", "came_at", "has_had", "payer", "round", "turns")

    def __init__(self, turns: TurnGiver, payer: Hashable) -> None:
        super().__init__()
        self.turns = turns
        self._name = payer
        self.payer = turns.payer(payer)
        self.round = -1
        """The loop's round in which it last had its turn."""
        self.came_at = self.has_had = 0.0
        """When its present request came, and the seconds that it has used."""

    def paid_by(self, payer: Hashable) -> None:
        """Somebody else pays from now on: who is calling has become known."""
        if payer != self._name:
            self._name, self.payer = payer, self.turns.payer(payer)

    def place_begun(self) -> float:
        """Its place in line amid a request."""
        return self.came_at + BEGUN_PENALTY * self.has_had
