"""The channels that a client may name, and what each is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.market_data.candles.intervals import INTERVALS
from services.stocks.symbols import is_symbol

MOST_CHANNELS: Final = 1_000
"""Channels in one `subscribe`."""

STOCK, BOOK, CANDLES, PRICES, ACCOUNT = "stock", "book", "candles", "prices", "account"


@dataclass(frozen=True, slots=True)
class Channel:
    """One subscription: its name, what it carries, and of which stock; of candles also of how many seconds."""

    room: str
    kind: str
    symbol: str = ""
    seconds: int = 0


def parse_channels(*arguments: object) -> tuple[list[Channel], list[str]]:
    """The channels of a `{"channels": […]}` request, and those that do not exist; each once, however often named.

    `arguments` is all that the client sent with the event. Raises ValueError for anything but one such request.
    """
    request = arguments[0] if len(arguments) == 1 else None
    names = request.get("channels") if isinstance(request, dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError('Expected {"channels": ["stock:PETR4", …]}, and nothing else.')
    if len(names) > MOST_CHANNELS:
        raise ValueError(f"At most {MOST_CHANNELS} channels at once.")
    return sorted_out(names)


def sorted_out(names: Sequence[str]) -> tuple[list[Channel], list[str]]:
    """The public channels among these names, and the names that are none; each once."""
    known, unknown = [], []
    for name in dict.fromkeys(names):
        channel = _channel(name)
        if channel is None:
            unknown.append(name)
        else:
            known.append(channel)
    return known, unknown


def _channel(name: str) -> Channel | None:
    kind, _, rest = name.partition(":")
    if name == PRICES:
        return Channel(name, PRICES)
    if kind in (STOCK, BOOK) and is_symbol(rest):
        return Channel(name, kind, rest)
    symbol, _, interval = rest.partition(":")
    if kind == CANDLES and is_symbol(symbol) and interval in INTERVALS:
        return Channel(name, kind, symbol, INTERVALS[interval])
    return None
