"""The channels that anybody may subscribe to, and the rooms behind them."""

from dataclasses import dataclass

from queues import names
from services.stocks.symbols import is_symbol

MOST_CHANNELS = 1_000
"""Channels in one `subscribe`."""

KINDS = frozenset({"stock", "book"})
"""Public data only: nobody asks for the room `user:`, it is joined at connect by whoever owns it."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One subscription: its room's name, what it carries, and of which stock."""

    room: str
    kind: str
    symbol: str


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
    known, unknown = [], []
    for name in dict.fromkeys(names):
        kind, _, symbol = name.partition(":")
        if kind in KINDS and is_symbol(symbol):
            known.append(Channel(name, kind, symbol))
        else:
            unknown.append(name)
    return known, unknown


def user_room(broker_id: int) -> str:
    """The name of the room in which a broker's own events arrive."""
    return names.room("user", broker_id)
