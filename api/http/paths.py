"""Paths that more than one resource begins with."""

from typing import Final

ORDER: Final = "/orders/<order_id:order_id>"
CLIENT_ORDER_ID: Final = "client_order_id"
"""The converter of a broker's own name for an order, which may hold a slash."""

STOCK: Final = "/stocks/<symbol:symbol>"
