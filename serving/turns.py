"""Whose turn it is on a process's processor: who asks for much must not keep those waiting who ask for little.

Greenlets give way only when they wait. A client who sends one request after the other never lets them, and a thousand
clients who send one each keep the next one waiting for a thousand. So a request whose head is here asks for its turn.
While nobody else waits it has it at once. Else those who have had least go first (start-time fair queueing, by Goyal,
1996), in two steps: the payers among each other, and the connections of one payer. A payer is a broker, or an address
while nobody there has shown a key.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Hashable
from time import perf_counter
from typing import Any
from weakref import WeakValueDictionary

from gevent import get_hub, getcurrent
from gevent.hub import Waiter

SLICE_SECONDS = 0.002
"""How long requests run before the loop looks again who has come meanwhile, and a long one lets the others go first."""

BYTE_SECONDS = 20e-9
"""What a byte of an answer has cost, about: it is made after a wait, when nobody looks at the clock."""


FLOW = "flow"
"""Of a greenlet: the connection that it works for."""


class Payer:
    """Somebody who is charged for what his connections take. Seconds are those of the fair clock."""

    __slots__ = ("__weakref__", "finish", "is_waiting", "queue", "virtual")

    def __init__(self) -> None:
        self.finish = 0.0
        """When all that he has had would be paid."""
        self.virtual = 0.0
        """His own fair clock, for his connections among each other."""
        self.is_waiting = False
        """Whether he has a place among those who wait, or one of his connections has its turn just now."""
        self.queue: list[tuple[float, float, int, Flow, Any]] = []
        """His connections that wait: each with its start, what it had before, a number, and its greenlet's waiter."""


class Flow:
    """One connection. `payer` is charged for it."""

    __slots__ = ("_name", "finish", "payer", "round", "turns")

    def __init__(self, turns: Turns, payer: Hashable) -> None:
        self.turns = turns
        self._name = payer
        self.payer = turns.payer(payer)
        self.finish = 0.0
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
        self._clock = 0.0
        self._waiting: list[tuple[float, float, int, Payer]] = []
        self._numbers = itertools.count()
        self._round = 0
        self._armed = False
        self._timer: Any = None
        """Fires when the loop has come round. (Callbacks would not do: gevent runs fifty of them before it looks again
        who has come.)"""
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
        """Wait for the flow's turn."""
        now = perf_counter()
        self._close(now)
        if self._waiting or flow.round == self._round or (self._armed and now - self._began > SLICE_SECONDS):
            self._wait(flow)
            return
        self._arm()
        payer = flow.payer
        self._clock = payer.finish = max(self._clock, payer.finish)
        payer.virtual = flow.finish = max(payer.virtual, flow.finish)
        self._take(flow, now)

    def again(self, flow: Flow) -> None:
        """Amid a long piece of work: let others go first, if it has gone on for long."""
        now = perf_counter()
        if now - self._since > SLICE_SECONDS:
            self._close(now)
            self._wait(flow)

    def charge(self, flow: Flow, size: int) -> None:
        """An answer of so many bytes was made."""
        self._charge(flow, size * BYTE_SECONDS)

    def _take(self, flow: Flow, now: float) -> None:
        flow.round = self._round
        self._current, self._since = flow, now

    def _close(self, now: float) -> None:
        """What went on until now is on the account of whoever had the processor."""
        if self._current is not None:
            self._charge(self._current, now - self._since)
            self._current = None

    def _charge(self, flow: Flow, seconds: float) -> None:
        flow.payer.finish += seconds
        flow.finish += seconds

    def _wait(self, flow: Flow) -> None:
        waiter: Any = Waiter()
        payer = flow.payer
        if not payer.is_waiting:
            payer.is_waiting = True
            self._line_up(payer)
        place = (max(payer.virtual, flow.finish), flow.finish, next(self._numbers), flow, waiter)
        heapq.heappush(payer.queue, place)
        self._arm()
        waiter.get()

    def _arm(self) -> None:
        if not self._armed:
            self._armed = True
            self._began = perf_counter()
            if self._timer is None:
                loop = get_hub().loop
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
        self._clock, _, _, payer = heapq.heappop(self._waiting)
        payer.finish = max(self._clock, payer.finish)
        payer.virtual, _, _, flow, waiter = heapq.heappop(payer.queue)
        flow.finish = payer.virtual
        self._take(flow, now)
        waiter.switch(None)
        now = perf_counter()
        self._close(now)
        payer.is_waiting = bool(payer.queue)
        if payer.is_waiting:
            self._line_up(payer)
        return now

    def _line_up(self, payer: Payer) -> None:
        """Of those with the same start, whoever had least before goes first."""
        start = max(self._clock, payer.finish)
        heapq.heappush(self._waiting, (start, payer.finish, next(self._numbers), payer))


def run_as(flow: Flow) -> None:
    """The present greenlet works for this connection: so `pause` knows."""
    setattr(getcurrent(), FLOW, flow)


def pause() -> None:
    """Let others go first, if the present request has kept the processor for long; elsewhere nothing."""
    flow: Flow | None = getattr(getcurrent(), FLOW, None)
    if flow is not None:
        flow.turns.again(flow)
