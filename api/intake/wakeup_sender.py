"""Wakes the workers beside the requests: nobody waits for Redis once his order is stored."""

import queue
from collections.abc import Iterable

from background import Task, Tasks
from queues.wakeups import Wakeups

WAIT_SECONDS = 2.0
"""How long one look for somebody to wake may take."""

Stock = tuple[str, str]
"""(symbol, group)"""


class WakeupSender:
    """Wakes the workers of stocks whose inbox has something new; what gathers meanwhile is sent together.

    A wake-up that is lost, with this process or with Redis, costs delay: the clock looks for forgotten inboxes.
    """

    def __init__(self, wakeups: Wakeups, tasks: Tasks) -> None:
        self._wakeups = wakeups
        self._wanted: queue.SimpleQueue[Iterable[Stock]] = queue.SimpleQueue()
        self._task = tasks.add(Task("wakeups", self.run_once, failure="stocks wait for the sweep", retry=0))
        self._started = False

    def send(self, stocks: Iterable[Stock]) -> None:
        """Have these stocks' workers woken, soon."""
        if not self._started:
            self._started = True
            self._task.start()
        self._wanted.put(stocks)

    def run_once(self) -> None:
        """Wait until there is somebody to wake, WAIT_SECONDS at most, and wake all that have gathered."""
        try:
            stocks = dict.fromkeys(self._wanted.get(timeout=WAIT_SECONDS))
        except queue.Empty:
            return
        while not self._wanted.empty():
            stocks.update(dict.fromkeys(self._wanted.get()))
        self._wakeups.wake(stocks)
