"""What a key may be used for. None implies another."""

from typing import Final

READ: Final = "read"
"""Every GET, sockets and streams."""

TRADE: Final = "trade"
"""New orders, amendments, closing positions."""

CANCEL: Final = "cancel"
"""Every cancel of any of its broker's orders, the dead man's switch, and reading orders."""

SCOPES: Final = (READ, TRADE, CANCEL)
ALL: Final = frozenset(SCOPES)
