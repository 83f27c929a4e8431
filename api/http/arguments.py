"""From a request to checked arguments: our own reading of bodies and query strings, checked by marshmallow."""

from collections.abc import Callable
from typing import Any, Final

import marshmallow

from api.http.body import receive_json
from api.http.calls import present
from api.http.fields import Several
from api.http.problems import MOST_ERRORS, InvalidRequest
from api.http.quick_schema import NOT_QUICK, QuickSchema
from api.http.strict_json import REPEATED, parse_object
from services.errors import kept

CONSTANTS: Final = frozenset({type(None), bool, int, str})
"""Kinds of values that nobody can change."""

Reader = Callable[[], Any]
"""Reads the arguments of the present request. Raises InvalidRequest, and what its part is refused with."""


def body_reader(schema: marshmallow.Schema) -> Reader:
    """Of a JSON body. Raises what `receive_json`, `parse_object` and `refuse_strange` raise, too."""

    def read() -> Any:
        call = present()
        document = parse_object(receive_json(call.environ, call.shared.web.body_deadline_ms))
        refuse_strange(document, schema)
        return loaded(schema, document)

    return read


def query_reader(schema: marshmallow.Schema) -> Reader:
    """Of a query: each parameter a text, or a list of texts where it may be repeated."""
    lists = {field.data_key or name for name, field in schema.fields.items() if isinstance(field, Several)}
    usual = _without_any(schema)

    def read() -> Any:
        if usual is not None and not present().environ.get("QUERY_STRING"):
            return {**usual}
        given: dict[str, list[str]] = {}
        for name, value in present().query():
            given.setdefault(name, []).append(value)
        single = {name: values[0] if len(values) == 1 else REPEATED for name, values in given.items()}
        return loaded(schema, {**single, **{name: given[name] for name in lists & given.keys()}})

    return read


def _without_any(schema: marshmallow.Schema) -> dict[str, Any] | None:
    """What the schema makes of a query that is not there, if that is the same each time; None where it may not be."""
    if any(callable(field.load_default) for field in schema.fields.values()):
        return None
    try:
        found = schema.load({})
    except marshmallow.ValidationError:
        return None
    return found if type(found) is dict and all(type(value) in CONSTANTS for value in found.values()) else None


READERS: Final[dict[str, Callable[[marshmallow.Schema], Reader]]] = {"json": body_reader, "query": query_reader}
"""By the part of a request."""


def loaded(schema: marshmallow.Schema, given: dict[str, Any]) -> Any:
    """What the schema makes of it. Raises InvalidRequest: every field at fault, the unknown ones too, in one answer."""
    if isinstance(schema, QuickSchema):
        found = schema.quickly(given)
        if found is not NOT_QUICK:
            return found
    try:
        return schema.load(given, unknown=marshmallow.RAISE)
    except marshmallow.ValidationError as error:
        raise InvalidRequest(errors=flat(kept(error).messages_dict)) from error


def refuse_strange(document: dict[str, Any], schema: marshmallow.Schema) -> None:
    """Raises InvalidRequest for very many unknown members: marshmallow would make a message for each."""
    if len(document) <= len(schema.fields) + MOST_ERRORS:
        return
    known = {field.data_key or name for name, field in schema.fields.items()}
    strange = [name for name in document if name not in known]
    first = {name: ["Unknown field."] for name in strange[:MOST_ERRORS]}
    raise InvalidRequest(errors=first, more=len(strange) - len(first))


def refuse_query() -> None:
    """Raises InvalidRequest for any query parameter: what a view does not read must not be passed over in silence."""
    given = present().query()
    if given:
        raise InvalidRequest(errors={name: ["Unknown field."] for name, _ in given})


def flat(messages: Any, prefix: str = "") -> dict[str, list[str]]:
    """marshmallow's nested messages by dotted field names."""
    found: dict[str, list[str]] = {}
    for name, inner in messages.items():
        place = f"{prefix}{name}"
        if isinstance(inner, dict):
            found.update(flat(inner, f"{place}."))
        else:
            found[place] = [str(message) for message in inner]
    return found
