"""What a path may hold in the place of a symbol or an id."""

from typing import Any

from werkzeug.routing import BaseConverter, IntegerConverter


class SymbolConverter(BaseConverter):
    """A symbol in a path; anything else is no path of ours."""

    regex = r"[A-Z0-9.\-]{1,12}"


class IdConverter(IntegerConverter):
    """An id in a path: what a 64-bit integer holds."""

    regex = r"[0-9]{1,19}"

    def __init__(self, map: Any) -> None:
        super().__init__(map, max=2**63 - 1)


class ClientOrderIdConverter(BaseConverter):
    """A broker's own id of an order, to the end of the path."""

    regex = r".{1,64}"
    part_isolating = False
