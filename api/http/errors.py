"""The one place where what went wrong becomes HTTP: RFC 9457 problems, never a stack trace."""

import logging
from typing import Any

import orjson
from flask import Flask, Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from werkzeug.exceptions import HTTPException

from api.http.answers import Answer, as_response
from api.http.calls import present
from api.http.http_problems import problem_of_http
from api.http.problems import Busy, InternalError, Problem, Unauthenticated
from database.errors import is_passing
from services.errors import (
    Conflict,
    Forbidden,
    Gone,
    Invalid,
    MarketError,
    NotAuthenticated,
    Unavailable,
    Unknown,
    kept,
)
from serving.raw_answers import MIMETYPE

log = logging.getLogger(__name__)

STATUS_OF = {
    NotAuthenticated: 401,
    Invalid: 422,
    Forbidden: 403,
    Unknown: 404,
    Conflict: 409,
    Gone: 410,
    Unavailable: 503,
}
RESERVED = frozenset({"type", "title", "status", "detail", "code", "errors", "request_id"})


def init_app(app: Flask) -> None:
    """Let every error of `app` be answered from here."""
    app.register_error_handler(HTTPException, _for_flask)
    app.register_error_handler(Exception, _for_flask)


def _for_flask(error: Exception) -> Response:
    if isinstance(error, HTTPException) and isinstance(error.response, Response):
        return error.response  # a redirect
    return as_response(answer_error(error))


def answer_error(error: Exception) -> Answer:
    """The answer to a request that ended with this error."""
    if isinstance(error, MarketError):
        return answer_refusal(error)
    if isinstance(error, HTTPException):
        return answer_http(error)
    if isinstance(error, DBAPIError | PoolExhausted):
        return answer_database(error)
    return answer_unexpected(error)


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
    code = refusal.code()
    return {
        "type": f"/docs/errors#{code}",
        "title": title_of(code),
        "status": status_of(refusal),
        "detail": refusal.detail,
        "code": code,
        "errors": errors,
        **{name: value for name, value in refusal.facts.items() if name not in RESERVED},
    }


def title_of(code: str) -> str:
    """A code as a few words: what kind of problem it is, the same at each occurrence (RFC 9457, 3.1.3)."""
    return code.replace("_", " ").capitalize().replace("json", "JSON")


def answer_refusal(refusal: MarketError) -> Answer:
    """The answer to what the market or the API refused."""
    status = status_of(refusal)
    headers = dict(refusal.headers) if isinstance(refusal, Problem) else {}
    if status == 401:
        headers.update(Unauthenticated.headers)
    if status == 503:
        headers.setdefault("Retry-After", "1")
        present().shared.on_unavailable()
    return _answer(status, problem_of(kept(refusal)), headers)


def answer_http(error: HTTPException) -> Answer:
    """The answer to what Flask refused by itself: no such path, no such method, a request that is not HTTP."""
    headers = {name: value for name, value in error.get_headers() if name not in ("Content-Type", "Content-Length")}
    problem = problem_of_http(kept(error).code or 500)
    return _answer(problem.status, problem_of(problem), headers)


def answer_database(error: DBAPIError | PoolExhausted) -> Answer:
    """PostgreSQL is away, has no connection left or took too long: nothing was done, so asking again is safe."""
    if isinstance(error, DBAPIError) and not is_passing(error):
        return answer_unexpected(error)
    return answer_refusal(_busy(error))


def answer_unexpected(error: Exception) -> Answer:
    """A fault of ours: told in the log with its traceback, to the client only as such."""
    return _answer(500, _unexpected(error), {})


def problem_for(error: BaseException) -> dict[str, Any]:
    """The problem that answers a request which ended with this error, without what belongs to the request."""
    if isinstance(error, MarketError):
        return problem_of(error)
    if isinstance(error, DBAPIError | PoolExhausted) and is_passing(error):
        return problem_of(_busy(error))
    return _unexpected(error)


def request_id() -> str:
    """The id of the present request; every answer has it."""
    return present().identity


def _busy(error: DBAPIError | PoolExhausted) -> Busy:
    log.warning("503, the database is away or overloaded: %s", " ".join(str(error).split())[:300])
    return Busy()


def _unexpected(error: BaseException) -> dict[str, Any]:
    log.error("request %s failed", request_id(), exc_info=error)
    return problem_of(InternalError())


def _answer(status: int, problem: dict[str, Any], headers: dict[str, str]) -> Answer:
    return Answer(status, orjson.dumps({**problem, "request_id": request_id()}), headers, MIMETYPE)
