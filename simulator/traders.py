"""Who trades in the simulator, and for which of its brokers."""

from __future__ import annotations

import zlib
from typing import Final

PATIENT: Final = "patient"
HASTY: Final = "hasty"
TREND: Final = "trend"

MAKERS: Final = "makers"
PEOPLE: Final = "people"
BROKERS: Final = (MAKERS, PEOPLE)


def broker_of(trader: str) -> str:
    """For which broker a trader trades."""
    return PEOPLE if trader in {PATIENT, HASTY, TREND} else MAKERS


def document_of(trader: str) -> str:
    """The customer number of a trader: each is another customer, and so may trade with the others."""
    return f"{zlib.crc32(trader.encode()) % 10**9:011d}"
