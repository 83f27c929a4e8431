"""What people are to the exchange. `api.access.rights` says what each may do."""

from typing import Final

TRADER: Final = "trader"
"""Trades for a broker, with every scope."""

CLEARING: Final = "clearing"
"""Busts trades."""

OPERATOR: Final = "operator"
"""Halts stocks, and looks after the processes."""

ADMIN: Final = "admin"
"""May do what an operator may, and lets in brokers and people."""

ROLES: Final = (TRADER, CLEARING, OPERATOR, ADMIN)
EVERYBODY: Final = frozenset(ROLES)
