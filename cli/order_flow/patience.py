"""How long a command goes on asking while the exchange says: not now."""

from __future__ import annotations

from typing import Final

from cli.terminal import say
from client import Exchange

PATIENCE_SECONDS: Final = 60
"""How long one request is asked again. A limit lets it through within a second, and a database that was started again
within a few; whoever is put off for a minute waits for something that does not mend itself."""

QUIET_SECONDS: Final = 3.0
"""Whoever waits no longer than a limit makes everybody wait says nothing of it."""


class Waiting:
    """Says once that it waits, when that has come to more than a moment."""

    def __init__(self) -> None:
        self._waited = 0.0
        self._has_said = False

    def __call__(self, seconds: float, why: str) -> None:
        """It waits for so many seconds more."""
        self._waited += seconds
        if self._waited > QUIET_SECONDS and not self._has_said:
            self._has_said = True
            say(f"waiting up to {PATIENCE_SECONDS} s for each request that the exchange does not take now: {why}")


def patient_exchange(url: str, key: str) -> Exchange:
    """The exchange at `url`, asked again for a minute by a command that says so."""
    return Exchange(url, key, patience=PATIENCE_SECONDS, on_wait=Waiting())
