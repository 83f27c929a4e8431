"""From a request to checked arguments: webargs with our own reading of bodies and query strings."""

from typing import Any, NoReturn

import marshmallow
from flask import Request, current_app
from webargs.flaskparser import FlaskParser

from api.http.body import BODY_DEADLINE_MS, receive_json
from api.http.fields import Several
from api.http.problems import MOST_ERRORS, InvalidRequest
from api.http.strict_json import REPEATED, parse_object


class StrictParser(FlaskParser):
    """Reads JSON strictly and refuses unknown and repeated query parameters too."""

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012 - webargs' own declaration
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": marshmallow.RAISE,
        "json": marshmallow.RAISE,
    }

    def load_json(self, req: Request, schema: marshmallow.Schema) -> Any:
        """The body as a dict. Raises what `receive_json`, `parse_object` and `refuse_strange` raise."""
        document = parse_object(receive_json(req, current_app.config[BODY_DEADLINE_MS]))
        refuse_strange(document, schema)
        return document

    def load_querystring(self, req: Request, schema: marshmallow.Schema) -> Any:
        """The query as a dict of texts, and of lists where a parameter may be repeated."""
        lists = {field.data_key or name for name, field in schema.fields.items() if isinstance(field, Several)}
        return {
            name: values if name in lists else values[0] if len(values) == 1 else REPEATED
            for name, values in req.args.lists()
        }

    def handle_error(
        self, error: marshmallow.ValidationError, req: Request, schema: marshmallow.Schema, **_: Any
    ) -> NoReturn:
        """Every field at fault, in one answer."""
        (messages,) = error.messages_dict.values()
        raise InvalidRequest(errors=flat(messages)) from error


def refuse_strange(document: dict[str, Any], schema: marshmallow.Schema) -> None:
    """Raises InvalidRequest for very many unknown members: marshmallow would make a message for each."""
    if len(document) <= len(schema.fields) + MOST_ERRORS:
        return
    known = {field.data_key or name for name, field in schema.fields.items()}
    strange = [name for name in document if name not in known]
    first = {name: ["Unknown field."] for name in strange[:MOST_ERRORS]}
    raise InvalidRequest(errors=first, more=len(strange) - len(first))


def refuse_query(request: Request) -> None:
    """Raises InvalidRequest for any query parameter: what a view does not read must not be passed over in silence."""
    if request.environ.get("QUERY_STRING") and request.args:
        raise InvalidRequest(errors={name: ["Unknown field."] for name in request.args})


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
