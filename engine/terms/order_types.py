"""The types of an order (FIX OrdType 40) and how long it lasts (FIX TimeInForce 59)."""

from __future__ import annotations

from typing import Final

LIMIT: Final = "limit"
MARKET: Final = "market"
STOP: Final = "stop"
"""A market order that waits for a price (FIX OrdType 40 = 3)."""
STOP_LIMIT: Final = "stop_limit"
"""A limit order that waits for a price (40 = 4)."""
STOPS: Final = frozenset({STOP, STOP_LIMIT})
LIMITED: Final = frozenset({LIMIT, STOP_LIMIT})
"""What has a limit price and so may rest."""
TYPES: Final = (LIMIT, MARKET, STOP, STOP_LIMIT)

GTC: Final = "gtc"
GTD: Final = "gtd"
DAY: Final = "day"
IOC: Final = "ioc"
FOK: Final = "fok"

RESTING_TIFS: Final = frozenset({GTC, GTD, DAY})
"""What may rest in the book (FIX TimeInForce 59 = 1, 6, 0). To the engine all three are the same:
`expire_at` alone decides when an order ends, and a session's end is a command like any other."""
TIFS: Final = (GTC, GTD, DAY, IOC, FOK)
"""`ioc` fills what it can at once (59 = 3), `fok` everything or nothing (59 = 4)."""
