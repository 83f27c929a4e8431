"""What a path may hold in the place of a symbol or an id. Whether there can be such a one, `api.http.paths` says."""

from werkzeug.routing import BaseConverter

from services.stocks.symbols import symbol_in


class SymbolConverter(BaseConverter):
    """A symbol in a path, in any case; what cannot be one stays as it is, to be refused as an unknown stock."""

    def to_python(self, value: str) -> str:
        """The symbol in capitals."""
        return symbol_in(value) or value


class IdConverter(BaseConverter):
    """An id in a path. Beyond 64 bits there is none."""

    regex = r"[0-9]+"

    def to_python(self, value: str) -> int:
        """The number."""
        return int(value)


class ClientOrderIdConverter(BaseConverter):
    """A broker's own id of an order, to the end of the path."""

    regex = r".{1,64}"
    part_isolating = False
