"""The receivers that a process speaks with, and how it does so by its settings."""

import os
import secrets
import socket
import threading
import time

from settings.sections import Settings
from workers.sending.deadlines import Deadlines
from workers.sending.receiver import Reach, Receiver
from workers.sending.retrying import Schedule
from workers.sending.telling import Sending

IDLE_SECONDS = 10.0
"""A connection that nobody has used for so long is closed."""


class Receivers:
    """One for each broker, kept with its connection while it is used."""

    def __init__(self) -> None:
        self._deadlines = Deadlines()
        self._kept: dict[int, tuple[Receiver, float]] = {}
        self._lock = threading.Lock()
        self.reach = Reach(allow_private=False, own_ports=frozenset())
        self.ca_file: str | None = None

    def at(self, broker_id: int, url: str) -> Receiver:
        """The broker's, at this url; one of another url is given up."""
        with self._lock:
            found, _ = self._kept.get(broker_id, (None, 0.0))
            if found is None or found.url != url:
                if found is not None:
                    found.close()
                found = Receiver(url, self.reach, self._deadlines, self.ca_file)
            self._kept[broker_id] = found, time.monotonic()
            return found

    def close_idle(self, used: set[int]) -> None:
        """Close those that nobody has asked for lately; not the ones that are `used` right now."""
        now = time.monotonic()
        with self._lock:
            for broker_id, (receiver, asked_at) in list(self._kept.items()):
                if broker_id not in used and now - asked_at > IDLE_SECONDS:
                    del self._kept[broker_id]
                    receiver.close()


def sending_of(settings: Settings, receivers: Receivers) -> Sending:
    """How this process sends, to receivers that it reaches as the settings say."""
    own = settings.webhooks
    receivers.reach = Reach(own.allow_private, frozenset({settings.web.port, settings.live.port}))
    receivers.ca_file = own.ca_file or None
    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    return Sending(name, Schedule([float(word) for word in own.schedule]), own.timeout_ms / 1000, receivers.at)
