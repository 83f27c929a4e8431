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
from collections import deque
from collections.abc import Hashable
from time import perf_counter
from typing import Any
from weakref import WeakValueDictionary

from gevent import get_hub
from gevent.hub import Waiter

from serving.flows import Flow, Payer

BYTE_SECONDS = 20e-9
"""What a byte of an answer has cost, about."""


class Turns:
    """The turns of one process with one event loop."""

    def __init__(self) -> None:
        self._payers: WeakValueDictionary[Hashable, Payer] = WeakValueDictionary()
        self._waiting: list[tuple[float, int, Payer]] = []
        self._patient: deque[tuple[float, Any]] = deque()
        """Those who let others in: until when of the steady clock, and the waiter of each greenlet."""
        self._numbers = itertools.count()
        self._round = 0
        self._armed = False
        self._timer: Any = None
        """Fires when the loop has come round. gevent's callbacks run fifty times before it looks who has come."""
        self._began = 0.0  # of the steady clock: when the requests of this round did
        self._current: Flow | None = None
        self._since = 0.0
        """Whoever has the processor, as far as is known, and since when."""

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
        flow.came_at, flow.has_had = now, 0.0
        self._go_on(flow, now, begun=False, waits=self._is_late(flow, now, flow.round == self._round))

    def again(self, flow: Flow) -> None:
        """Amid a request, after a wait or a long piece of work: let others go first, if this round has been long."""
        now = perf_counter()
        self._close(now)
        self._go_on(flow, now, begun=True, waits=self._is_late(flow, now, False))

    def let_in(self, flow: Flow, seconds: float) -> None:
        """Wait until nobody waits for a turn any more, so many seconds at most; who has not used much does not."""
        now = perf_counter()
        self._close(now)
        if self._waiting and flow.payer.has_used_much(now):
            waiter: Any = Waiter()
            self._patient.append((now + seconds, waiter))
            self._arm()
            waiter.get()

    def charge(self, flow: Flow, size: int) -> None:
        """An answer of so many bytes was made."""
        self._charge(flow, size * BYTE_SECONDS, perf_counter())

    def _is_late(self, flow: Flow, now: float, had_turn: bool) -> bool:
        """Whether others may have come meanwhile; for one who has had a turn, or has used much, those who wait are."""
        if had_turn or (self._waiting and flow.payer.has_used_much(now)):
            return True
        return self._armed and now - self._began > flow.payer.slice_at(now)

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
        flow.has_had += seconds
        flow.charge(seconds, now)
        flow.payer.charge(seconds, now)

    def _wait(self, flow: Flow, now: float, begun: bool) -> None:
        waiter: Any = Waiter()
        payer = flow.payer
        if not payer.is_waiting:
            self._line_up(payer, now)
        place = flow.place_begun() if begun else flow.place(now)
        heapq.heappush(payer.queue, (place, next(self._numbers), flow, waiter))
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
        began = now
        while self._waiting and now - began < self._waiting[0][-1].slice_at(now):
            now = self._give_turn(now)
        if self._waiting or self._patient:
            self._arm()
        while self._patient and (not self._waiting or now >= self._patient[0][0]):
            self._patient.popleft()[1].switch(None)

    def _give_turn(self, now: float) -> float:
        """Let the next one run until it waits, or ends; when that was."""
        payer = heapq.heappop(self._waiting)[-1]
        *_, flow, waiter = heapq.heappop(payer.queue)
        self._take(flow, now)
        waiter.switch(None)
        now = perf_counter()
        self._close(now)
        payer.is_waiting = False
        if payer.queue:
            self._line_up(payer, now)
        return now
