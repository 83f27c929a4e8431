"""How long a command goes on asking while the exchange says: not now."""

from __future__ import annotations

import time
from typing import Final

from cli.exits import FAILED
from cli.terminal import CommandError, say

PATIENCE_SECONDS: Final = 60
"""How long one request is asked again. A limit lets it through within a second, and a database that was started again
within a few; whoever is put off for a minute waits for something that does not mend itself."""

QUIET_SECONDS: Final = 3
"""Whoever waits no longer than a limit makes everybody wait says nothing of it."""


class Patience:
    """The waits of one request, which together last `PATIENCE_SECONDS` at most."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._quiet = True

    def wait(self, seconds: float, refusal: str) -> None:
        """Wait before the request is sent again; `refusal` is what was answered to it.

        Raises CommandError where the patience would end before the wait does.
        """
        now = time.monotonic()
        self._began = now if self._began is None else self._began
        waited = now + seconds - self._began
        if waited > PATIENCE_SECONDS:
            raise CommandError(
                f"The exchange did not take it for {PATIENCE_SECONDS} seconds: {refusal}",
                "minex status",
                exit_code=FAILED,
            )
        if self._quiet and waited > QUIET_SECONDS:
            say(f"waiting up to {PATIENCE_SECONDS} s, for the exchange does not take it now: {refusal}")
            self._quiet = False
        time.sleep(seconds)
