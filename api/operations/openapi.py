"""What all operations have in common in the description of the API: headers, problems, and answers that may grow."""

from collections.abc import Iterator
from typing import Any, Final

from serving.raw_answers import MIMETYPE

Json = dict[str, Any]

BODY_STATUSES: Final = ("400", "408", "411", "413", "415")
"""How a body can be wrong before it is read as JSON."""

STATUSES: Final[dict[str, tuple[str, str]]] = {
    "400": ("NotUnderstood", "The request or its body could not be read."),
    "401": ("Unauthenticated", "It is not known who is calling: no key or token, or one that is not good."),
    "403": ("Forbidden", "Whoever is calling may not do that."),
    "404": ("NotFound", "There is no such thing: order, stock, broker, key, person, session."),
    "408": ("TooSlow", "The body did not arrive in time."),
    "409": ("Conflict", "The present state of things does not allow it."),
    "410": ("Gone", "What was asked for is no longer there: begin anew."),
    "411": ("LengthRequired", "Chunked bodies are not taken."),
    "413": ("TooLarge", "The body is too large."),
    "415": ("NotJsonByName", "The body is not sent as application/json."),
    "422": ("Invalid", "What was sent is not valid; `errors` says why by field."),
    "429": ("TooManyRequests", "Too many of late; go on after Retry-After."),
    "500": ("InternalError", "A fault of the exchange; its log has the request_id."),
    "503": ("Unavailable", "It cannot be done just now; ask again after Retry-After."),
}
"""What each status of a problem is called and means; everything else is `default`."""

WHOLE: Final[Json] = {"type": "integer", "minimum": 0}
HEADERS: Final[dict[str, Json]] = {
    "Location": {"description": "Where what was made is.", "required": True},
    "X-Request-ID": {"description": "Names this request in the log; echoes the request's own.", "required": True},
    "Retry-After": {"description": "Seconds to wait before asking again.", "required": True, "schema": WHOLE},
    "WWW-Authenticate": {"description": "How to say who one is.", "required": True},
    "RateLimit-Limit": {"description": "How many a second; only where there is a limit.", "schema": WHOLE},
    "RateLimit-Remaining": {"description": "How many are left.", "schema": WHOLE},
    "RateLimit-Reset": {"description": "Seconds until the oldest counts no more.", "schema": WHOLE},
    "Preference-Applied": {"description": "Which preference made the answer what it is (RFC 7240)."},
    "Allow": {"description": "The methods that the path takes, where it does not take this one."},
    "Link": {"description": "The next page, where there is one (RFC 8288)."},
    "Opening-Balance": {"description": "With CSV: as opening_balance."},
    "Closing-Balance": {"description": "With CSV: as closing_balance."},
    "Set-Cookie": {"description": "The cookies minex_refresh and minex_csrf; taken away by logging out."},
}
OF_STATUS: Final[dict[str, str]] = {"401": "WWW-Authenticate", "429": "Retry-After", "503": "Retry-After"}
MAKES_RESOURCE: Final = frozenset({"place_order", "list_new_stock", "close_position"})
"""Operations whose answer says where what they made, or had made before, is found."""

WITH_COOKIES: Final = frozenset({"log_in", "refresh", "log_out"})
"""Operations that give cookies, or take them."""

FOR_STRANGERS: Final = WITH_COOKIES | {"sign_up"}
"""Operations without `security` that look at who is calling all the same."""

AS_CSV: Final[dict[str, tuple[str, ...]]] = {
    "get_statement": ("Opening-Balance", "Closing-Balance"),
    "get_candles": (),
}
"""Operations that answer in CSV as well, and the headers in which they then say what is not in the lines."""

MADE: Final = frozenset({"200", "201"})
RATE_LIMITS: Final = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")


def finish(document: Json, problem: str = "#/components/schemas/Problem") -> Json:
    """`document` with what all operations have in common; `problem` refers to the schema of a problem."""
    components = document["components"]
    components["headers"] = {name: {"schema": {"type": "string"}, **header} for name, header in HEADERS.items()}
    components["responses"] = {
        **{name: _problem(text, problem, status) for status, (name, text) in STATUSES.items()},
        "Problem": _problem("Another problem (RFC 9457).", problem),
    }
    for parameter in (shared for item in document["paths"].values() for shared in item.get("parameters", [])):
        parameter["example"] = parameter["schema"]["examples"][0]
    for operation in operations(document):
        _add_headers(operation)
        _add_problems(operation)
    for name in _reachable(document, (operation["responses"] for operation in operations(document))):
        if components["schemas"][name].get("additionalProperties") is False:
            del components["schemas"][name]["additionalProperties"]  # an answer may have more one day
    return document


def operations(document: Json) -> Iterator[Json]:
    """All operations of the document."""
    for item in document["paths"].values():
        yield from (operation for method, operation in item.items() if method != "parameters")


def _problem(description: str, schema: str, status: str = "") -> Json:
    headers = ["X-Request-ID", *RATE_LIMITS, *([OF_STATUS[status]] if status in OF_STATUS else [])]
    headers += [] if status else ["Allow"]
    return {
        "description": description,
        "headers": _refer(*headers),
        "content": {MIMETYPE: {"schema": {"$ref": schema}}},
    }


def _refer(*headers: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in headers}


def _add_headers(operation: Json) -> None:
    """Name the headers of what succeeds."""
    parameters = {parameter["name"] for parameter in operation.get("parameters", [])}
    names = ["X-Request-ID"]
    names += ["Preference-Applied"] if "Prefer" in parameters else []
    names += ["Link"] if "cursor" in parameters else []
    names += RATE_LIMITS if {"apiKey": []} in operation["security"] else []
    for status, response in operation["responses"].items():
        if "$ref" not in response:
            made = ["Location"] if status in MADE and operation["operationId"] in MAKES_RESOURCE else []
            if status in MADE and operation["operationId"] in AS_CSV:
                made += AS_CSV[operation["operationId"]]
                response["content"]["text/csv"] = {"schema": {"type": "string"}}
            made += ["Set-Cookie"] if operation["operationId"] in WITH_COOKIES else []
            own = [OF_STATUS[status]] if status in OF_STATUS else []
            response["headers"] = _refer(*names, *made, *own)


def _add_problems(operation: Json) -> None:
    """Name what each operation may refuse."""
    statuses = ["500", "503"]
    knows = operation["security"] or operation["operationId"] in FOR_STRANGERS
    statuses += ["401", "403", "409", "422", "429"] if knows else ["422"]
    statuses += ["404"] if operation["security"] else []
    statuses += ["410"] if any(parameter["name"] == "epoch" for parameter in operation.get("parameters", [])) else []
    statuses += BODY_STATUSES if "requestBody" in operation else []
    responses = operation["responses"]
    for status in statuses:
        if status not in responses or "$ref" in responses[status]:
            responses[status] = {"$ref": f"#/components/responses/{STATUSES[status][0]}"}
    responses["default"] = {"$ref": "#/components/responses/Problem"}
    operation["responses"] = dict(sorted(responses.items()))


def _reachable(document: Json, begin: Iterator[Any]) -> set[str]:
    """The names of the schemas that `begin` refers to, directly or through others."""
    found: set[str] = set()
    waiting: list[Any] = list(begin)
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += [value for name, value in node.items() if name not in ("example", "examples")]
            room, _, name = str(node.get("$ref", "")).removeprefix("#/components/").partition("/")
            if name and room == "responses":
                waiting.append(document["components"]["responses"][name])
            elif name and room == "schemas" and name not in found:
                found.add(name)
                waiting.append(document["components"]["schemas"][name])
    return found
