"""How many connections to PostgreSQL the exchange may have at once: what its processes' pools add up to."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

from settings.processes import Web
from settings.sections import Settings

POOLS_OF_WEB: Final = 2
"""Of a web process: for reading, and for transactions."""

SHARED_OF_WEB: Final = 4
"""Connections of a web process that all requests share: for reading, looking, orders, cancels."""

OWN_OF_LIVE: Final = 2
"""Of a Socket.IO process beside its pool: keys of those who are there, and what streams have missed, are looked up
whatever others ask for."""

CLOCK_REPORTER_AND_CLEARING: Final = 3
CONNECTIONS_OF_WEBHOOKS: Final = 4

OTHERS: Final = 10
"""For whoever looks at the exchange or prepares it: `minex verify`, `replay`, `migrate`, a person with psql."""

PROCESSORS_OF_WEB: Final = 2
"""Processors to each web process: PostgreSQL and the matching need the others."""


def processes_of(web: Web) -> int:
    """The number of web processes; those of `[web] processes`, or as many as suit the machine."""
    return web.processes or max(1, (os.cpu_count() or 1) // PROCESSORS_OF_WEB)


@dataclass(frozen=True)
class Connections:
    """The most connections of each kind of process."""

    web_processes: int
    pool_size: int
    match: int

    @property
    def total(self) -> int:
        """All of them, and those of OTHERS."""
        return self._fixed + self.pool_size * self._pools

    def fitting_pool_size(self, allowed: int) -> int:
        """The largest `[database] pool_size` with which `allowed` connections are enough; 0 if there is none."""
        return max(0, (allowed - self._fixed) // self._pools)

    @property
    def _pools(self) -> int:
        return POOLS_OF_WEB * self.web_processes + 1

    @property
    def _fixed(self) -> int:
        others = CLOCK_REPORTER_AND_CLEARING + CONNECTIONS_OF_WEBHOOKS + OTHERS
        return SHARED_OF_WEB * self.web_processes + OWN_OF_LIVE + self.match + others

    def __str__(self) -> str:
        web = f"{POOLS_OF_WEB} × {self.pool_size} + {SHARED_OF_WEB}"
        return (
            f"web {self.web_processes} × ({web}), live {self.pool_size} + {OWN_OF_LIVE}, "
            f"match {self.match}, clock 1, reporter 1, clearing 1, webhooks {CONNECTIONS_OF_WEBHOOKS}, others {OTHERS}"
        )


def connections_of(settings: Settings) -> Connections:
    """Those of an exchange with these settings, all of it on this machine."""
    return Connections(processes_of(settings.web), settings.database.pool_size, len(settings.match.groups))
