"""Paths that more than one resource begins with, and what they may name."""

from collections.abc import Mapping
from typing import Any, Final

from api.http.fields import LONGEST_CLIENT_ORDER_ID
from services.accounts.errors import UnknownTrade
from services.clearing.errors import UnknownBust
from services.errors import Unknown, UnknownBroker, UnknownOrder, UnknownStock
from services.identity.errors import UnknownApiKey, UnknownSession, UnknownUser
from services.stocks.symbols import SYMBOL, SYMBOL_RULE, symbol_in

ORDER: Final = "/orders/<order_id:order_id>"
CLIENT_ORDER_ID: Final = "client_order_id"
"""The converter of a broker's own name for an order, which may hold a slash."""

STOCK: Final = "/stocks/<symbol:symbol>"

LARGEST_ID: Final = 2**63 - 1
ID_SCHEMA: Final = {"type": "integer", "format": "int64", "minimum": 1, "examples": [1]}
SYMBOL_SCHEMA: Final = {"type": "string", "pattern": f"^{SYMBOL}$", "examples": ["PETR4"]}
CLIENT_ORDER_ID_SCHEMA: Final = {
    "type": "string",
    "minLength": 1,
    "maxLength": LONGEST_CLIENT_ORDER_ID,
    "examples": ["2026-03-02/17"],
}
"""How the description shows them."""

UNKNOWN_ID: Final[dict[str, type[Unknown]]] = {
    "order_id": UnknownOrder,
    "trade_id": UnknownTrade,
    "broker_id": UnknownBroker,
    "key_id": UnknownApiKey,
    "session_id": UnknownSession,
    "user_id": UnknownUser,
    "bust_id": UnknownBust,
}


def refuse_impossible(named: Mapping[str, Any]) -> None:
    """Raises UnknownStock, UnknownOrder or another of UNKNOWN_ID where a path names what there cannot be."""
    for name, value in named.items():
        if name == "symbol" and symbol_in(value) is None:
            raise UnknownStock(SYMBOL_RULE)
        if name in UNKNOWN_ID and value > LARGEST_ID:
            raise UNKNOWN_ID[name]
