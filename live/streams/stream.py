"""One client's stream of events, as feeds tell it what there is."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Final

from live.feeds.feed import Feed
from live.feeds.hub import EVERYTHING, Hub
from live.feeds.message import Batch, Message
from live.listeners import BEHIND_BYTES
from live.sockets.outbox import Outbox
from live.streams.position import position_word

COMMENT: Final = b":\n\n"
"""What no client hears, and every proxy passes on."""

FINISH_SECONDS: Final = 2.0


class Stream:
    """The events of some channels. Each says with its id where the stream stands behind it."""

    def __init__(self, hub: Hub, outbox: Outbox, names: Sequence[str], channels: Sequence[str]) -> None:
        """`names`: of the feeds; `channels`: what the client calls them, in its order."""
        self.feeds: dict[str, Feed] = {}
        self.beaten_at = time.monotonic()
        self.told_at = self.beaten_at
        """When it was told something of its channels last."""
        self._hub = hub
        self._outbox = outbox
        self._channels = channels
        self.numbers = dict.fromkeys(names, 0)

    @property
    def is_behind(self) -> bool:
        """Whether its client has left much unread."""
        return self._outbox.waiting_bytes > BEHIND_BYTES

    def put(self, channel: str, batch: Batch) -> None:
        """Let messages of a channel, or about all of them, wait for `flush`."""
        written = []
        for message in batch.messages:
            if channel == EVERYTHING:
                written.append(COMMENT)
            elif message.number is not None:
                self.numbers[channel] = message.number
            written.append(b"%bid: %b\n\n" % (message.block, self._word()))
        if channel != EVERYTHING:
            self.told_at = time.monotonic()
        self._outbox.put(b"".join(written))

    def say(self, event: str, payload: dict[str, Any], channel: str = EVERYTHING) -> None:
        """One event, at once."""
        self.put(channel, Batch((Message(event, payload),)))
        self.flush()

    def flush(self) -> None:
        """Give the kernel all that waits."""
        self._outbox.flush()

    def finish(self) -> None:
        """Wait a moment for the client to take what it was sent, and end the connection."""
        self._outbox.finish(FINISH_SECONDS)
        self._outbox.cut()

    def _word(self) -> bytes:
        return position_word(self._hub.epoch, self._channels, self.numbers.values()).encode()
