"""Given what an application answers, when its head is made at once, then it is what gunicorn's Response would send."""

from __future__ import annotations

from typing import Any

import pytest
from gunicorn import util
from gunicorn.config import Config
from gunicorn.http.wsgi import Response
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.answer_heads import LONGEST_BODY, AnswerHeads
from serving.conversation import PlainRequest

CONFIG = Config()


class Wire:
    def __init__(self) -> None:
        self.sent = b""

    def sendall(self, data: bytes) -> None:
        self.sent += data


def by_gunicorn(status: str, headers: list[tuple[str, str]], body: bytes, closes: bool) -> bytes:
    """The whole answer. Raises what gunicorn refuses it with."""
    wire = Wire()
    response = Response(PlainRequest("GET", closes), wire, CONFIG)
    response.start_response(status, headers)
    response.write(body)
    response.close()
    return wire.sent


@pytest.fixture(autouse=True)
def _one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(util, "http_date", lambda *_: "Thu, 01 Jan 2026 00:00:00 GMT")


def same_both_ways(status: str, headers: list[tuple[str, str]], body: bytes, closes: bool) -> bool:
    """Whether it is made at once. What is made so is what gunicorn sends."""
    made = AnswerHeads().made(status, headers, closes)
    if made is None or made[1] != len(body):
        return False
    assert made[0] + body == by_gunicorn(status, headers, body, closes)
    return True


JSON = ("Content-Type", "application/json")


@pytest.mark.parametrize("closes", [True, False])
@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        ("200 OK", [JSON, ("Content-Length", "2"), ("X-Request-ID", "a b")], b"{}"),
        ("201 CREATED", [JSON, ("Content-Length", "0"), ("Location", "/api/v1/orders/1")], b""),
        ("204 NO CONTENT", [("Cache-Control", "no-store")], b""),
        ("429 TOO MANY REQUESTS", [("Retry-After", "1"), ("Content-Length", "1"), ("X-Empty", "")], b"x"),
    ],
)
def test_usual_answers_are_made_at_once(status: str, headers: list[tuple[str, str]], body: bytes, closes: bool) -> None:
    assert same_both_ways(status, headers, body, closes)


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        ("200 OK", [JSON]),
        ("200 OK", [("Content-Length", str(LONGEST_BODY + 1))]),
        ("200 OK", [("Content-Length", "0"), ("Connection", "close")]),
        ("200 OK", [("Content-Length", "0"), ("Transfer-Encoding", "chunked")]),
        ("200 OK", [("Content-Length", "0"), ("X-A", "1\r\nSet-Cookie: a=b")]),
        ("200 OK", [("Content-Length", "0"), ("X-A", "1\n")]),
        ("200 OK", [("Content-Length", "0"), ("X-A", " 1")]),
        ("200 OK", [("Content-Length", "0"), ("X A", "1")]),
        ("204 NO CONTENT", [("Content-Length", "0")]),
        ("304 NOT MODIFIED", []),
        ("101 SWITCHING PROTOCOLS", [("Upgrade", "websocket")]),
    ],
)
def test_what_wants_care_is_left_to_gunicorn(status: str, headers: list[tuple[str, str]]) -> None:
    assert AnswerHeads().made(status, headers, False) is None


NAMES = st.one_of(st.sampled_from(["Content-Type", "Date", "Server", "Upgrade", "X-A"]), st.text(max_size=6))
VALUES = st.one_of(st.sampled_from(["", "a b", "no-store"]), st.text(max_size=6))


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["200 OK", "204 NO CONTENT", "404 NOT FOUND", "503 SERVICE UNAVAILABLE"]),
    st.lists(st.tuples(NAMES, VALUES), max_size=4),
    st.binary(max_size=4),
    st.booleans(),
)
def test_whatever_is_made_at_once_is_what_gunicorn_sends(
    status: str, headers: list[tuple[str, Any]], body: bytes, closes: bool
) -> None:
    if not status.startswith("204"):
        headers.insert(0, ("Content-Length", str(len(body))))
    same_both_ways(status, headers, b"" if status.startswith("204") else body, closes)


def test_many_names_are_not_all_remembered() -> None:
    heads = AnswerHeads()
    for number in range(1_000):
        heads.made("200 OK", [("Content-Length", "0"), (f"X-{number}", "1")], False)
    assert len(heads._last) <= 200
