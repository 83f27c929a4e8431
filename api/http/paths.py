"""Paths that more than one resource begins with."""

from typing import Final

ORDER: Final = "/orders/<order_id:order_id>"
STOCK: Final = "/stocks/<symbol:symbol>"
