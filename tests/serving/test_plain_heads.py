"""Given the head of any request, when it is read at once, then what it says is what gunicorn's parser finds."""

from __future__ import annotations

from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import ParseException
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader
from gunicorn.http.wsgi import base_environ, create
from hypothesis import example, given, settings
from hypothesis import strategies as st

from serving.plain_heads import LONGEST, PlainHeads

CLIENT, SERVER = ("127.0.0.1", 40_000), ("127.0.0.1", 8_000)


def config() -> Config:
    """As `minex run` starts gunicorn."""
    found = Config()
    for name, value in {
        "forwarded_allow_ips": "",
        "forwarder_headers": "",
        "limit_request_line": 4094,
        "limit_request_fields": 64,
        "limit_request_field_size": 8190,
    }.items():
        found.set(name, value)
    return found


CONFIG = config()
BASE: dict[str, Any] = {
    **base_environ(CONFIG),
    "wsgi.url_scheme": "http",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SCRIPT_NAME": "",
    "gunicorn.socket": None,
    "SERVER_NAME": SERVER[0],
    "SERVER_PORT": str(SERVER[1]),
    "REMOTE_ADDR": CLIENT[0],
    "REMOTE_PORT": str(CLIENT[1]),
}
OWN = {"wsgi.input", "wsgi.errors", "wsgi.early_hints"}
"""Objects of each request's own."""


def by_gunicorn(head: bytes) -> tuple[dict[str, Any], bool]:
    """The environment, and whether the connection is to close. Raises what gunicorn refuses it with."""
    request = Request(CONFIG, IterUnreader([head]), CLIENT, 1)
    request.proxy_protocol_info = {}
    _, environ = create(request, None, CLIENT, SERVER, CONFIG)
    return environ, request.should_close()


def without_own(environ: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in environ.items() if name not in OWN}


REMEMBERING = PlainHeads()
"""Reads the heads of all tests, as those of one worker."""


def same_both_ways(head: bytes) -> bool:
    """Whether it is plain. What is plain means the same to gunicorn, and whatever came before it."""
    plain = PlainHeads().read(head, BASE)
    assert REMEMBERING.read(head, BASE) == REMEMBERING.read(head, BASE) == plain
    if plain is None:
        return False
    environ, closes = by_gunicorn(head)
    assert without_own(plain.environ) == without_own(environ)
    assert plain.closes == closes
    assert plain.length == int(environ.get("CONTENT_LENGTH", 0))
    return True


USUAL = b"Host: x\r\nAuthorization: Bearer mx_1\r\n"

PLAIN = {
    "a read": b"GET /api/v1/balance HTTP/1.1\r\n" + USUAL,
    "a query": b"GET /api/v1/orders?limit=5&symbol=PETR4 HTTP/1.1\r\n" + USUAL,
    "an escape in the query": b"GET /a?b=%20 HTTP/1.1\r\n",
    "an empty query": b"GET /api/v1/orders? HTTP/1.1\r\n" + USUAL,
    "an order": b"POST /api/v1/orders HTTP/1.1\r\n"
    + USUAL
    + b"Content-Type: application/json\r\nContent-Length: 91\r\n",
    "the last one": b"DELETE /api/v1/orders/1 HTTP/1.1\r\n" + USUAL + b"Connection: Close\r\n",
    "kept": b"PUT /api/v1/orders/1 HTTP/1.1\r\nConnection: keep-alive\r\nContent-Length:0\r\n",
    "names in any case": b"GET / HTTP/1.1\r\nhOST:x\r\nX-REQUEST-ID: \tabc \r\nx-other:\r\n",
    "without a header": b"GET / HTTP/1.1\r\n",
}
NOT_PLAIN = {
    "another method": b"HEAD / HTTP/1.1\r\n",
    "another version": b"GET / HTTP/1.0\r\n",
    "escapes": b"GET /a%2Fb HTTP/1.1\r\n",
    "a host in front": b"GET //elsewhere/ HTTP/1.1\r\n",
    "a whole address": b"GET http://x/ HTTP/1.1\r\n",
    "a fragment": b"GET /#a HTTP/1.1\r\n",
    "twice": b"GET / HTTP/1.1\r\nPrefer: wait=1\r\nprefer: wait=2\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
    "no length": b"POST / HTTP/1.1\r\nContent-Length: one\r\n",
    "a length below nothing": b"POST / HTTP/1.1\r\nContent-Length: -1\r\n",
    "chunks": b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n",
    "asks first": b"POST / HTTP/1.1\r\nContent-Length: 1\r\nExpect: 100-continue\r\n",
    "another protocol": b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
    "several options": b"GET / HTTP/1.1\r\nConnection: keep-alive, te\r\n",
    "a folded line": b"GET / HTTP/1.1\r\nX-A: 1\r\n 2\r\n",
    "a bare line feed": b"GET / HTTP/1.1\r\nX-A: 1\nX-B: 2\r\n",
    "a blank before the colon": b"GET / HTTP/1.1\r\nX-A : 1\r\n",
    "an underscore": b"GET / HTTP/1.1\r\nX_A: 1\r\n",
    "more than ASCII": b"GET / HTTP/1.1\r\nX-A: \xe9\r\n",
    "a control": b"GET / HTTP/1.1\r\nX-A: \x00\r\n",
    "no name": b"GET / HTTP/1.1\r\n: 1\r\n",
    "a path by header": b"GET / HTTP/1.1\r\nPath-Info: /admin\r\n",
    "a prefix by header": b"GET / HTTP/1.1\r\nScript-Name: /admin\r\n",
    "a scheme by header": b"GET / HTTP/1.1\r\nX-Forwarded-Proto: https\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(65)),
    "a long one": b"GET / HTTP/1.1\r\nX-A: " + b"a" * LONGEST + b"\r\n",
    "more behind it": b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n",
}


@pytest.mark.parametrize("head", PLAIN.values(), ids=PLAIN)
def test_the_usual_is_plain(head: bytes) -> None:
    assert same_both_ways(head + b"\r\n")


@pytest.mark.parametrize("head", NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_what_could_be_read_in_two_ways_is_left_to_gunicorn(head: bytes) -> None:
    assert not same_both_ways(head + b"\r\n")


def test_half_a_head_is_not_one() -> None:
    head = PLAIN["an order"] + b"\r\n"
    assert not any(same_both_ways(head[:n]) for n in range(len(head)))


def test_what_one_request_is_given_is_not_the_next_ones() -> None:
    heads, head = PlainHeads(), PLAIN["an order"] + b"\r\n"
    first = heads.read(head, BASE)
    assert first
    first.environ["HTTP_HOST"], first.environ["minex.call"] = "elsewhere", "mine"
    second = heads.read(head, {**BASE, "REMOTE_PORT": "7"})
    assert second
    assert second.environ["REMOTE_PORT"] == "7"
    assert second.environ["HTTP_HOST"] == "x"
    assert "minex.call" not in second.environ


NAMES = st.one_of(
    st.sampled_from(
        [b"Host", b"Content-Length", b"content-type", b"Connection", b"Prefer", b"X-Request-ID", b"Cookie"]
    ),
    st.sampled_from([b"Transfer-Encoding", b"Expect", b"Upgrade", b"Script-Name", b"X-Forwarded-Ssl", b"Keep-Alive"]),
    st.from_regex(rb"[A-Za-z0-9-]{1,12}", fullmatch=True),
    st.binary(max_size=6),
)
VALUES = st.one_of(
    st.sampled_from([b"", b"0", b"5", b"007", b"close", b"keep-alive", b"x", b"wait=1", b" a b ", b"+1", b"1_0"]),
    st.from_regex(rb"[\t -~]{0,20}", fullmatch=True),
    st.binary(max_size=8),
)
TARGETS = st.one_of(
    st.sampled_from(
        [b"/", b"/api/v1/orders", b"/api/v1/orders?a=b", b"*", b"/a//b", b"/.", b"/../x", b"/a?b?c", b"/?"]
    ),
    st.from_regex(rb"/[!-~]{0,12}", fullmatch=True),
    st.binary(max_size=8),
)
HEADS = st.builds(
    lambda method, target, version, fields: b"%s %s HTTP/%s\r\n%s\r\n" % (method, target, version, b"".join(fields)),
    st.sampled_from([b"GET", b"POST", b"PUT", b"DELETE", b"get", b"PATCH"]),
    TARGETS,
    st.sampled_from([b"1.1", b"1.1", b"1.1", b"1.0", b"2"]),
    st.lists(st.builds(lambda name, value: b"%s: %s\r\n" % (name, value), NAMES, VALUES), max_size=4),
)


@settings(max_examples=600, deadline=None)
@given(HEADS)
@example(b"GET /a HTTP/1.1\r\nContent-Length: 007\r\n\r\n")
def test_whatever_is_plain_means_the_same_to_gunicorn(head: bytes) -> None:
    try:
        same_both_ways(head)
    except ParseException as refusal:
        raise AssertionError(f"gunicorn refuses it: {refusal}") from refusal


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.plain_heads.MOST_KNOWN", 5)
    heads = PlainHeads()
    for n in range(50):
        assert heads.read(b"GET / HTTP/1.1\r\nX-A: %d\r\n\r\n" % n, BASE)
        assert len(heads) <= 5
    assert not heads.read(b"GET / HTTP/1.1\r\nX_A: 1\r\n\r\n", BASE)
    assert len(heads) <= 5
