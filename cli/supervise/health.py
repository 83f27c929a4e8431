"""Asks the processes that have an address whether they are well, beside the supervisor's own work."""

from __future__ import annotations

import http.client
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping

INTERVAL_SECONDS = 1.0
EAGER_SECONDS = 0.05
"""While a process has not yet answered for the first time."""
TIMEOUT_SECONDS = 3.0

_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Without the proxies of the environment: we ask our own machine."""


def status_of(url: str) -> int:
    """The HTTP status with which `url` is answered; 0 for no answer."""
    try:
        with _OPENER.open(url, timeout=TIMEOUT_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError, http.client.HTTPException):
        return 0


class HealthWatch:
    """A thread that asks each url again and again."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        """`urls` by process name."""
        self._urls = {name: url for name, url in urls.items() if url}
        self._last_heard: dict[str, float] = {}
        self._well: dict[str, bool] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="health", daemon=True)

    def start(self) -> None:
        """Begin to ask; does nothing if that has begun."""
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        """Ask no more; does not wait for an answer that is still out."""
        self._stop.set()

    def is_well(self, name: str) -> bool:
        """True if the last answer was good; a process without an address is well as long as it lives."""
        return self._well.get(name, name not in self._urls)

    def forget(self, name: str) -> None:
        """A process starts anew: what the one before answered does not count."""
        self._well.pop(name, None)
        self._last_heard.pop(name, None)

    def silent_seconds(self, name: str) -> float:
        """For how long a process that used to answer has given no answer at all; 0 if it never did."""
        last = self._last_heard.get(name)
        return time.monotonic() - last if last is not None else 0.0

    def _watch(self) -> None:
        while not self._stop.is_set():
            for name, url in self._urls.items():
                status = status_of(url)
                self._well[name] = status == 200
                if status:
                    self._last_heard[name] = time.monotonic()
            all_well = all(self._well.get(name) for name in self._urls)
            self._stop.wait(INTERVAL_SECONDS if all_well else EAGER_SECONDS)
