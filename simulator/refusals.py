"""What the exchange has refused a broker of the simulator: it is not asked again at once."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from client import Refused

log = logging.getLogger(__name__)

SUSPENDED_SECONDS: Final = 10.0
"""After which it is tried whether a suspended broker may trade again."""

REFUSED_SECONDS: Final = 5.0
"""For which nobody trades a stock that takes no orders, or a side of it for which there is not enough."""

SUSPENDED: Final = "broker_suspended"
SHORT_OF: Final = frozenset({"insufficient_funds", "insufficient_shares"})


class Refusals:
    """What is not worth trying, and until when."""

    def __init__(self, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.for_good: Refused | None = None
        """Why nothing will ever be taken: the key is good no more."""
        self._name = name
        self._clock = clock
        self._closed_until: dict[tuple[str, str], float] = {}
        self._suspended_until = 0.0

    @property
    def is_suspended(self) -> bool:
        """Whether the exchange has just said that the broker may not trade."""
        return self._clock() < self._suspended_until

    def may(self, symbol: str, side: str) -> bool:
        """Whether nothing of this kind has just been refused."""
        return all(self._closed_until.get((symbol, one), 0.0) <= self._clock() for one in ("", side))

    def note_taken(self) -> None:
        """Something was taken: whoever was suspended is not any more."""
        if self._suspended_until:
            log.warning("%s: may trade again", self._name)
            self._suspended_until = 0.0

    def heed(self, refused: Refused, symbol: str = "", side: str = "") -> None:
        """Do not ask again at once for what was refused, of a stock and a side of it, or of all."""
        now = self._clock()
        if refused.code == SUSPENDED:
            if not self._suspended_until:
                log.warning("%s: suspended; nothing is sent until it may trade again", self._name)
            self._suspended_until = now + SUSPENDED_SECONDS
        elif refused.status == 401:
            log.warning("%s: its key is not good any more: %s", self._name, refused.detail)
            self.for_good = refused
        elif symbol:
            log.debug("%s: %s: %s", self._name, symbol, refused)
            self._closed_until[symbol, side if refused.code in SHORT_OF else ""] = now + REFUSED_SECONDS
        else:
            log.info("%s: %s", self._name, refused)
