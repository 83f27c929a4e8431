"""Cuts connections whose time is over: a receiver that answers byte by byte would otherwise never be late."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator


class Deadlines:
    """The connections that are being waited for, and until when; a thread of its own looks at them."""

    PRECISION_SECONDS = 0.05

    def __init__(self) -> None:
        self._waiting: dict[object, tuple[float, socket.socket]] = {}
        self._lock = threading.Lock()
        self._is_asked = threading.Event()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def until(self, moment: float) -> Iterator[Cut]:
        """Within the block the sockets that `watch` is given are cut at `moment`, on the steady clock."""
        cut = Cut(self, moment)
        try:
            yield cut
        finally:
            with self._lock:
                self._waiting.pop(cut, None)

    def watch(self, cut: Cut, sock: socket.socket) -> None:
        """Have this socket cut; one that the same Cut had before is left alone from now on."""
        with self._lock:
            self._waiting[cut] = cut.moment, sock
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="webhook-deadlines", daemon=True)
                self._thread.start()
        self._is_asked.set()

    def _run(self) -> None:
        while True:
            self._is_asked.wait()
            now = time.monotonic()
            with self._lock:
                for cut, (moment, sock) in list(self._waiting.items()):
                    if moment <= now:
                        del self._waiting[cut]
                        with contextlib.suppress(OSError):
                            socket.socket.shutdown(sock, socket.SHUT_RDWR)  # past TLS, which another thread is in
                if not self._waiting:
                    self._is_asked.clear()
            time.sleep(self.PRECISION_SECONDS)


class Cut:
    """One wait: `moment` is when its connection is cut."""

    def __init__(self, deadlines: Deadlines, moment: float) -> None:
        self._deadlines = deadlines
        self.moment = moment

    @property
    def seconds_left(self) -> float:
        """Until then; 0 when it is over."""
        return max(0.0, self.moment - time.monotonic())

    def watch(self, sock: socket.socket) -> None:
        """Cut this socket when the time is over."""
        self._deadlines.watch(self, sock)
