"""The one place where what went wrong becomes HTTP: RFC 9457 problems, never a stack trace."""

import logging
from collections.abc import Callable
from typing import Any

import orjson
from flask import Flask, Response, current_app, request
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from werkzeug.exceptions import HTTPException

from api.http.problems import Busy, Problem
from database.errors import is_passing
from services.errors import Conflict, Forbidden, Invalid, MarketError, Unavailable, Unknown

log = logging.getLogger(__name__)

MIMETYPE = "application/problem+json"
ON_UNAVAILABLE = "minex.on_unavailable"
REQUEST_ID = "minex.request_id"
"""Where WSGI's environment keeps the request's id."""
STATUS_OF = {Invalid: 422, Forbidden: 403, Unknown: 404, Conflict: 409, Unavailable: 503}
RESERVED = frozenset({"type", "title", "status", "detail", "code", "errors", "request_id"})


def init_app(app: Flask, on_unavailable: Callable[[], None]) -> None:
    """Let every error of `app` be answered from here; `on_unavailable` is called with each 503."""
    app.extensions[ON_UNAVAILABLE] = on_unavailable
    app.register_error_handler(MarketError, answer_refusal)
    app.register_error_handler(HTTPException, answer_http)
    app.register_error_handler(DBAPIError, answer_database)
    app.register_error_handler(PoolExhausted, answer_database)
    app.register_error_handler(Exception, answer_unexpected)


def status_of(refusal: MarketError) -> int:
    """The HTTP status of a refusal: its own, or that of its parent."""
    if isinstance(refusal, Problem):
        return refusal.status
    return next((status for kind, status in STATUS_OF.items() if isinstance(refusal, kind)), 422)


def problem_of(refusal: MarketError) -> dict[str, Any]:
    """The body of a problem, without what belongs to the request."""
    errors = dict(refusal.errors) if isinstance(refusal, Problem) else {}
    if refusal.field is not None:
        errors.setdefault(refusal.field, [refusal.detail])
    return _problem(status_of(refusal), refusal.code(), refusal.message(), refusal.detail, errors, refusal.facts)


def answer_refusal(refusal: MarketError) -> Response:
    """What the market or the API refused."""
    status = status_of(refusal)
    headers = dict(refusal.headers) if isinstance(refusal, Problem) else {}
    if status == 503:
        headers.setdefault("Retry-After", "1")
        current_app.extensions[ON_UNAVAILABLE]()
    return _answer(status, problem_of(refusal), headers)


def answer_http(error: HTTPException) -> Response:
    """What Flask refused by itself: no such path, no such method, a request that is not HTTP."""
    if error.response is not None and isinstance(error.response, Response):
        return error.response  # a redirect
    headers = {name: value for name, value in error.get_headers() if name not in ("Content-Type", "Content-Length")}
    status = error.code or 500
    return _answer(status, http_problem(status, error.name, error.description or error.name), headers)


def http_problem(status: int, name: str, detail: str) -> dict[str, Any]:
    """A problem that only HTTP has a name for, such as "Not Found"."""
    code = name.lower().replace(" ", "_").replace("'", "")
    return _problem(status, code, name, detail, {}, {})


def answer_database(error: DBAPIError | PoolExhausted) -> Response:
    """PostgreSQL is away, has no connection left or took too long: nothing was done, so asking again is safe."""
    if isinstance(error, DBAPIError) and not is_passing(error):
        return answer_unexpected(error)
    return answer_refusal(_busy(error))


def answer_unexpected(error: Exception) -> Response:
    """A fault of ours: told in the log with its traceback, to the client only as such."""
    return _answer(500, _unexpected(error), {})


def problem_for(error: BaseException) -> dict[str, Any]:
    """What a request that ends with this error is answered, without what belongs to the request."""
    if isinstance(error, MarketError):
        return problem_of(error)
    if isinstance(error, DBAPIError | PoolExhausted) and is_passing(error):
        return problem_of(_busy(error))
    return _unexpected(error)


def request_id() -> str:
    """The id of the present request; every answer has it."""
    return str(request.environ.get(REQUEST_ID, ""))


def _busy(error: DBAPIError | PoolExhausted) -> Busy:
    log.warning("503, the database is away or overloaded: %s", " ".join(str(error).split())[:300])
    return Busy()


def _unexpected(error: BaseException) -> dict[str, Any]:
    log.error("request %s failed", request_id(), exc_info=error)
    detail = "The exchange failed to answer; the report has this request_id."
    return _problem(500, "internal_error", "Internal error", detail, {}, {})


def _problem(
    status: int, code: str, title: str, detail: str, errors: dict[str, list[str]], facts: dict[str, Any]
) -> dict[str, Any]:
    return {
        "type": f"/docs/errors#{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "errors": errors,
        **{name: value for name, value in facts.items() if name not in RESERVED},
    }


def _answer(status: int, problem: dict[str, Any], headers: dict[str, str]) -> Response:
    body = orjson.dumps({**problem, "request_id": request_id()})
    return Response(body, status, headers, mimetype=MIMETYPE)
