"""Wakes the workers beside the requests: nobody waits for Redis once his order is stored."""

import logging
import queue
import threading
from collections.abc import Iterable

from queues.wakeups import Wakeups

log = logging.getLogger(__name__)

Stock = tuple[str, str]
"""(symbol, group)"""


class WakeupSender:
    """Wakes the workers of stocks whose inbox has something new; what gathers meanwhile is sent together.

    A wake-up that is lost, with this process or with Redis, costs delay: the clock looks for forgotten inboxes.
    """

    def __init__(self, wakeups: Wakeups) -> None:
        self._wakeups = wakeups
        self._wanted: queue.SimpleQueue[Iterable[Stock]] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def send(self, stocks: Iterable[Stock]) -> None:
        """Have these stocks' workers woken, soon."""
        if self._thread is None:
            self._start()
        self._wanted.put(stocks)

    def run_once(self) -> None:
        """Wait until there is somebody to wake, and wake all that have gathered."""
        stocks = dict.fromkeys(self._wanted.get())
        while not self._wanted.empty():
            stocks.update(dict.fromkeys(self._wanted.get()))
        try:
            self._wakeups.wake(stocks)
        except Exception:
            log.exception("%d stocks wait for the sweep", len(stocks))

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="wakeups", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self.run_once()
