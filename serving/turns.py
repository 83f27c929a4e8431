"""Whose turn it is on a process's processor: who asks for much must not keep those waiting who ask for little.

Greenlets give way only when they wait. A client who sends one request after the other never lets them, and a thousand
clients who send one each keep the next one waiting for a thousand. So a request whose head is here asks for its turn.
While nobody else waits it has it at once. Else each counts as if he had come later by a hundred times what he has used
of late: those who use least go first, and nobody waits for ever. First the payers among each other, then the
connections of one payer. A payer is a broker, or an address while nobody there has shown a key.
"""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Hashable
from time import perf_counter
from typing import Any
from weakref import WeakValueDictionary

from gevent import get_hub
from gevent.hub import Waiter

SLICE_SECONDS = 0.002
"""How long requests run before the loop looks again who has come meanwhile, and a long one lets the others go first."""

MEMORY_SECONDS = 1.0
"""After which two thirds of what somebody has used are forgotten."""

PENALTY = 100
"""Seconds by which everybody stands back for each second that he has used of late."""

BYTE_SECONDS = 20e-9
"""What a byte of an answer has cost, about."""

FIRST = float("-inf")
"""The place in line of a connection that is amid its request."""


class Account:
    """What somebody has used of late."""

    __slots__ = ("_at", "_used")

    def __init__(self) -> None:
        self._used = self._at = 0.0

    def charge(self, seconds: float, now: float) -> None:
        """He has used so much of the processor."""
        self._used = self._used * math.exp((self._at - now) / MEMORY_SECONDS) + seconds
        self._at = now

    def place(self, now: float) -> float:
        """His place in line if he comes now: when he would have come without having used anything."""
        return now + PENALTY * self._used * math.exp((self._at - now) / MEMORY_SECONDS)


class Payer(Account):
    """Somebody who is charged for what his connections use."""

    __slots__ = ("__weakref__", "is_waiting", "queue")

    def __init__(self) -> None:
        super().__init__()
        self.is_waiting = False
        """Whether he has a place in line, or one of his connections has its turn just now."""
        self.queue: list[tuple[float, int, Flow, Any]] = []
        """His connections that wait: each with its place, a number, and its greenlet's waiter."""


class Flow(Account):
    """One connection. `payer` is charged for it."""

    __slots__ = ("_name", "payer", "round", "turns")

    def __init__(self, turns: Turns, payer: Hashable) -> None:
        super().__init__()
        self.turns = turns
        self._name = payer
        self.payer = turns.payer(payer)
        self.round = -1
        """The loop's round in which it last had its turn."""

    def paid_by(self, payer: Hashable) -> None:
        """Somebody else pays from now on: who is calling has become known."""
        if payer != self._name:
            self._name, self.payer = payer, self.turns.payer(payer)


class Turns:
    """The turns of one process with one event loop."""

    def __init__(self) -> None:
        self._payers: WeakValueDictionary[Hashable, Payer] = WeakValueDictionary()
        self._waiting: list[tuple[float, int, Payer]] = []
        self._numbers = itertools.count()
        self._round = 0
        self._armed = False
        self._timer: Any = None
        """Fires when the loop has come round. gevent's callbacks run fifty times before it looks who has come."""
        self._began = 0.0
        """Of the steady clock: when the requests of this round began."""
        self._current: Flow | None = None
        """Whoever has the processor since `_since`, as far as is known."""
        self._since = 0.0

    def payer(self, name: Hashable) -> Payer:
        """The payer of this name; forgotten with the last of his connections."""
        found = self._payers.get(name)
        if found is None:
            found = self._payers[name] = Payer()
        return found

    def enter(self, flow: Flow) -> None:
        """Wait for the flow's turn: it has a request. One a round, while others may have come meanwhile."""
        now = perf_counter()
        self._close(now)
        self._go_on(flow, now, begun=False, waits=flow.round == self._round or self._is_late(now))

    def again(self, flow: Flow) -> None:
        """Amid a request, after a wait or a long piece of work: let others go first, if this round has been long."""
        now = perf_counter()
        self._close(now)
        self._go_on(flow, now, begun=True, waits=self._is_late(now))

    def charge(self, flow: Flow, size: int) -> None:
        """An answer of so many bytes was made."""
        self._charge(flow, size * BYTE_SECONDS, perf_counter())

    def _is_late(self, now: float) -> bool:
        """Whether others wait, or may have come meanwhile."""
        return bool(self._waiting) or (self._armed and now - self._began > SLICE_SECONDS)

    def _go_on(self, flow: Flow, now: float, *, begun: bool, waits: bool) -> None:
        if waits:
            self._wait(flow, now, begun)
        else:
            self._arm()
            self._take(flow, now)

    def _take(self, flow: Flow, now: float) -> None:
        flow.round = self._round
        self._current, self._since = flow, now

    def _close(self, now: float) -> None:
        """What went on until now is on the account of whoever had the processor."""
        if self._current is not None:
            self._charge(self._current, now - self._since, now)
            self._current = None

    def _charge(self, flow: Flow, seconds: float, now: float) -> None:
        flow.charge(seconds, now)
        flow.payer.charge(seconds, now)

    def _wait(self, flow: Flow, now: float, begun: bool) -> None:
        """`begun`: it is amid its request. Of one payer's connections those go on first."""
        waiter: Any = Waiter()
        payer = flow.payer
        if not payer.is_waiting:
            self._line_up(payer, now)
        heapq.heappush(payer.queue, (FIRST if begun else flow.place(now), next(self._numbers), flow, waiter))
        self._arm()
        waiter.get()

    def _line_up(self, payer: Payer, now: float) -> None:
        payer.is_waiting = True
        heapq.heappush(self._waiting, (payer.place(now), next(self._numbers), payer))

    def _arm(self) -> None:
        if not self._armed:
            self._armed = True
            self._began = perf_counter()
            if self._timer is None:
                loop: Any = get_hub().loop
                self._timer = loop.timer(0)
                self._timer.priority = loop.MINPRI
            self._timer.start(self._come_round, update=False)

    def _come_round(self) -> None:
        """In the loop, after those who came at once: let those who wait have their turns, for a while."""
        self._armed = False
        self._timer.stop()
        self._round += 1
        now = perf_counter()
        self._close(now)
        end = now + SLICE_SECONDS
        while self._waiting and now < end:
            now = self._give_turn(now)
        if self._waiting:
            self._arm()

    def _give_turn(self, now: float) -> float:
        """Let the next one run until it waits, or ends; when that was."""
        _, _, payer = heapq.heappop(self._waiting)
        _, _, flow, waiter = heapq.heappop(payer.queue)
        self._take(flow, now)
        waiter.switch(None)
        now = perf_counter()
        self._close(now)
        payer.is_waiting = False
        if payer.queue:
            self._line_up(payer, now)
        return now
