"""Answers that no application gives: to what never became a request, too slow or not HTTP, or was ended amid it."""

from api.http.errors import problem_of
from api.http.http_problems import BodyTooSlow, problem_of_http
from api.http.problems import Busy, OutcomeUnknown, Problem
from serving.raw_answers import raw_answer

READING = frozenset({"GET", "HEAD", "OPTIONS"})


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


def of_status(status: int) -> bytes:
    """To what is no HTTP."""
    return _answer(problem_of_http(status))


def _answer(problem: Problem) -> bytes:
    return raw_answer(problem_of(problem), problem.headers)
