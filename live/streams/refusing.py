"""Why a stream is not served: a problem (RFC 9457), with the codes of REST."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

DETAILS: Final = {
    "invalid_request": (422, "The request is not understood", "The query is wrong; errors says where."),
    "unknown_stock": (404, "Unknown stock", "A channel is of a stock that is not listed."),
    "method_not_allowed": (405, "Method not allowed", "A stream is asked for by GET."),
    "busy": (503, "Busy", "There are as many streams as there may be. Try again."),
}
"""By code: status, title, and how to go on."""

HEADERS: Final = {
    405: {"Allow": "GET, OPTIONS"},
    503: {"Retry-After": "1"},
    401: {"WWW-Authenticate": 'Bearer realm="minex"'},
}


class Refused(Exception):
    """The request is answered with a problem, and nothing was sent yet."""

    def __init__(self, document: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
        super().__init__(document["code"])
        self.status = int(document["status"])
        self.document = {"errors": {}, **document}
        self.headers = {**HEADERS.get(self.status, {}), **(headers or {})}


def refusal(code: str, errors: Mapping[str, Sequence[str]] | None = None) -> Refused:
    """One of DETAILS; `errors` by parameter."""
    status, title, detail = DETAILS[code]
    document = {"type": f"/docs/errors#{code}", "title": title, "status": status, "code": code, "detail": detail}
    return Refused({**document, "errors": errors or {}})
