"""Answers that no application gives: to what never became a request, too slow or not HTTP, or was ended amid it."""

import re
import secrets
from http import HTTPStatus

import orjson

from api.http.errors import MIMETYPE, problem_of
from api.http.http_problems import BodyTooSlow, problem_of_http
from api.http.problems import Busy, OutcomeUnknown, Problem

ANSWER = "HTTP/1.1 {} {}\r\nConnection: close\r\nContent-Type: {}\r\nContent-Length: {}\r\nX-Request-ID: {}\r\n{}\r\n"
READING = frozenset({"GET", "HEAD", "OPTIONS"})
STATUS_LINE = re.compile(rb"HTTP/1\.1 ([0-9]{3}) ")


def too_slow() -> bytes:
    """To a request that did not arrive in time."""
    return _answer(BodyTooSlow())


def head_too_large() -> bytes:
    """To a request whose head has more bytes than any needs."""
    return _answer(problem_of_http(431))


def all_taken() -> bytes:
    """To a connection for which there is no place."""
    return _answer(Busy())


def ended(method: str) -> bytes:
    """To a request that was ended because its worker stops. Whoever waits for his order is not left without a word."""
    return _answer(Busy() if method in READING else OutcomeUnknown())


def as_problem(unsent: bytearray, begin: int) -> None:
    """Turn the page of gunicorn's that waits to be sent from `begin` on into the problem that its status stands for.

    The page repeats what the client sent; the problem does not.
    """
    told = STATUS_LINE.match(unsent, begin)
    if told is None:
        return
    unsent[begin:] = _answer(problem_of_http(int(told[1])))


def _answer(problem: Problem) -> bytes:
    request_id = secrets.token_hex(16)
    body = orjson.dumps({**problem_of(problem), "request_id": request_id})
    status = HTTPStatus(problem.status)
    more = "".join([f"{name}: {value}\r\n" for name, value in problem.headers.items()])
    return ANSWER.format(status.value, status.phrase, MIMETYPE, len(body), request_id, more).encode() + body
