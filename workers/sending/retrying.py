"""When a delivery that failed is tried again: on its schedule, with jitter, not while its receiver asks for rest."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from workers.sending.attempts import Attempt

SET_ASIDE_AFTER: Final = 3
"""Failures after which a delivery holds the others up no longer."""

LONGEST_REST_SECONDS: Final = 3_600.0
"""How long a receiver may ask to be left alone."""

JITTER: Final = 0.1
"""Up to so much of a time is added, so that what failed together does not come back together."""

GONE: Final = 410
SLOW_DOWN: Final = frozenset({429, 502, 503, 504})
"""With these a receiver says that it has too much to do."""


@dataclass(frozen=True)
class Schedule:
    """Seconds from the first failure to the second attempt, and so on."""

    seconds: Sequence[float]

    def is_over(self, tries: int) -> bool:
        """True if after so many failures nothing more is tried by itself."""
        return tries > len(self.seconds)

    def wait(self, tries: int, attempt: Attempt, *, longest: float | None = None) -> float:
        """Seconds after the failure number `tries`, which was `attempt`; at most `longest`, unless it asks for more."""
        seconds = self.seconds[min(tries, len(self.seconds)) - 1] * (1 + JITTER * secrets.randbelow(1_000) / 1_000)
        if longest is not None:
            seconds = min(seconds, longest)
        return max(seconds, rest_after(attempt))


def rest_after(attempt: Attempt) -> float:
    """Seconds that the receiver wants to be left alone for, 0 where it does not say so."""
    if attempt.status_code not in SLOW_DOWN or attempt.retry_after is None:
        return 0.0
    return min(attempt.retry_after, LONGEST_REST_SECONDS)
