"""The fields of JSON commands: which each command has, under the names of `minex simulate` or of REST."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from engine.terms.orders import CONDITIONS
from settings.spelling import nearest

FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "new": frozenset({
        "id", "account", "side", "type", "price", "quantity", "tif", "expire_at", "stp", *CONDITIONS,
    }),
    "cancel": frozenset({"id"}),
    "amend": frozenset({"id", "price", "quantity", "expire_at", "stop_price"}),
    "state": frozenset({"state"}),
    "uncross": frozenset(),
    "roll": frozenset(),
    "clock": frozenset({"now"}),
}  # fmt: skip
"""The fields of each command, beside `cmd`."""

REST_NAMES: Final[Mapping[str, str]] = {
    "order_id": "id",
    "client_order_id": "id",
    "document_number": "account",
    "order_type": "type",
    "time_in_force": "tif",
    "valid_until": "expire_at",
    "self_trade_prevention": "stp",
}
"""How REST calls what has a shorter name here."""

ALL_FIELDS: Final = frozenset().union(*FIELDS.values())

UNKNOWN_COMMAND: Final = "unknown_command"
UNKNOWN_FIELD: Final = "unknown_field"
DUPLICATE_FIELD: Final = "duplicate_field"


class InvalidCommand(Exception):
    """The object is no command. `code` says why, as `invalid_<field>`; `detail` says it in words, or is empty."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(detail or code)
        self.code = code
        self.detail = detail


def by_own_names(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The values by the names that they have here, whichever were used; of one that stands twice, the last."""
    return {REST_NAMES.get(name, name): value for name, value in pairs}


def check_names(pairs: Iterable[tuple[str, Any]]) -> None:
    """Raises `InvalidCommand` unless the command exists and has each of the fields, once.

    A field that is null is as good as absent, so a null may stand in any command, under a name that some command has.
    """
    pairs = list(pairs)
    name = by_own_names(pairs).get("cmd")
    if not isinstance(name, str) or name not in FIELDS:
        raise InvalidCommand(UNKNOWN_COMMAND, _unknown_command(name))
    given: dict[str, str] = {}
    for field, value in pairs:
        own = REST_NAMES.get(field, field)
        if own in given:
            raise InvalidCommand(DUPLICATE_FIELD, f"{given[own]!r} and {field!r} say the same: give one, and once")
        given[own] = field
        if own != "cmd" and own not in FIELDS[name] and not (value is None and own in ALL_FIELDS):
            raise InvalidCommand(UNKNOWN_FIELD, _unknown_field(field, name))


def _unknown_command(name: Any) -> str:
    near = nearest(name, FIELDS) if isinstance(name, str) else ""
    known = ", ".join(FIELDS)
    return f"there is no command {name!r}{near or f'; there are {known}'}"


def _unknown_field(field: str, command: str) -> str:
    names = FIELDS[command] | {rest for rest, own in REST_NAMES.items() if own in FIELDS[command]}
    return f"{command!r} has no field {field!r}{nearest(field, names)}"
