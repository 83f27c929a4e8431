"""Follows streams whatever breaks: it comes back to where it was, and begins anew where that cannot be."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from .book import OutOfStep
from .errors import ExchangeError, Refused
from .exchange import Exchange
from .stream import EventStream

log = logging.getLogger(__name__)

FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0
"""Seconds before it is tried again."""

FOR_EVER = frozenset({401, 403, 404, 422})
"""What will be refused again, to whoever comes with the same key."""

MAY_COME_BACK = frozenset({"replaced", "busy", "role_changed"})
"""Why the exchange may close a stream without meaning that one has to stay away."""


class Mirror(Protocol):
    """Something that is kept up by events."""

    @property
    def is_ready(self) -> bool:
        """Whether it knows what there is."""

    def take(self, name: str, payload: dict[str, Any]) -> None:
        """Heed one event. Raises OutOfStep."""

    def forget(self) -> None:
        """Know nothing any more: everything begins anew."""


class Follower:
    """One stream, opened again and again, each time behind the last event that was taken.

    Every event goes to all `mirrors`, then to `tell` (name, payload), each once and in order. After a RESET, and where
    a mirror is out of step, everything begins anew with snapshots. `start` does it in a thread, `run` in this one.
    """

    def __init__(
        self,
        exchange: Exchange,
        channels: Sequence[str],
        mirrors: Sequence[Mirror] = (),
        tell: Callable[[str, dict[str, Any]], None] | None = None,
    ) -> None:
        self.exchange = exchange
        self.channels = list(channels)
        self.mirrors = list(mirrors)
        self._tell = tell
        self._last_id = ""
        self._key: str | None = None
        """What the present connection was opened with: another one may be let in."""
        self._stream: EventStream | None = None
        self._stopped = threading.Event()
        self._ready = threading.Event()
        self._has_heard = False
        """Whether anything came over the present connection."""
        self._thread: threading.Thread | None = None
        self.failure: Exception | None = None
        """Why it has ended by itself: what was asked for is refused, or something that it called raised."""

    def start(self) -> Follower:
        """Follow in a thread of its own; itself."""
        self._thread = threading.Thread(target=self._run_quietly, name="minex-follower", daemon=True)
        self._thread.start()
        return self

    def wait_until_ready(self, seconds: float = 30.0) -> bool:
        """Wait until every mirror knows what there is; False if that takes longer, or it has ended by itself."""
        self._ready.wait(seconds)
        return self._ready.is_set() and self.failure is None

    def stop(self) -> None:
        """End it, and wait for its thread."""
        self._stopped.set()
        self.cut()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def cut(self) -> None:
        """End the present connection; another follows."""
        stream = self._stream
        if stream is not None:
            stream.close()

    def __enter__(self) -> Follower:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def run(self) -> None:
        """Follow until `stop`. Raises Refused where it will be refused again."""
        wait = FIRST_WAIT
        while not self._stopped.is_set():
            try:
                self._follow()
                wait = FIRST_WAIT
            except OutOfStep as lost:
                log.warning("begins anew: %s", lost)
                self._begin_anew()
            except Refused as refused:
                if refused.status in FOR_EVER and self._key == self.exchange.transport.key:
                    raise
                wait = max(wait, float(refused.facts.get("retry_after") or 0))
            except ExchangeError as error:
                log.info("%s", error)
            if self._has_heard:
                self._has_heard, wait = False, FIRST_WAIT
            self._stopped.wait(wait)
            wait = min(wait * 2, LONGEST_WAIT)

    def _follow(self) -> None:
        self._key = self.exchange.transport.key
        self._stream = stream = self.exchange.stream(self.channels, self._last_id)
        try:
            for event in stream:
                if self._stopped.is_set():
                    return
                self._take(event.name, event.payload)
                self._last_id = event.id
                self._has_heard = True
                if all(mirror.is_ready for mirror in self.mirrors):
                    self._ready.set()
                else:
                    self._ready.clear()
        finally:
            stream.close()

    def _take(self, name: str, payload: dict[str, Any]) -> None:
        if name == "CLOSED":
            raise Refused(503 if payload.get("code") in MAY_COME_BACK else 401, payload)
        for mirror in self.mirrors:
            mirror.take(name, payload)
        if self._tell is not None:
            self._tell(name, payload)

    def _begin_anew(self) -> None:
        self._last_id = ""
        self._ready.clear()
        for mirror in self.mirrors:
            mirror.forget()

    def _run_quietly(self) -> None:
        try:
            self.run()
        except Exception as error:
            self.failure = error
            self._ready.set()  # nobody shall wait for it
            log.exception("the stream of %s is given up", ", ".join(self.channels))
