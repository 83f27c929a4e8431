"""Given an exchange that is away, slow or says no, when it is called, then nothing is done twice, nothing given up."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from client import Exchange, OutcomeUnknown, Refused, Unreachable
from client.transport import Transport
from machine.ports import random_free_port
from tests.workers.sending.web_server import Request, WebServer, plainly


@pytest.fixture
def server() -> Iterator[WebServer]:
    server = WebServer()
    yield server
    server.close()


@pytest.fixture
def exchange(server: WebServer) -> Exchange:
    return Exchange(server.url(path=""), "mx_key", document="1", timeout=0.5, patience=5)


def answer(status: int, body: object, *headers: str) -> bytes:
    text = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(text)}", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + text


def in_turn(server: WebServer, *answers: bytes | None) -> None:
    """Answer one request after the other so, the last one for ever; None is no answer at all."""
    left = list(answers)

    def say(connection: object, request: Request) -> bool:
        what = left.pop(0) if len(left) > 1 else left[0]
        if what is not None:
            connection.sendall(what)  # type: ignore[attr-defined]
        return what is not None and what.endswith(b"}")

    server.answer = say


PLACED = answer(201, {"order_id": 7, "status": "pending", "client_order_id": "x"})


def test_a_key_and_the_query_are_sent(server: WebServer, exchange: Exchange) -> None:
    in_turn(server, answer(200, {"items": [{"order_id": 1}], "next_cursor": None}))
    assert [order["order_id"] for order in exchange.orders(status=["open", "filled"], place=True, from_="2026")] == [1]
    (request,) = server.requests
    path, _, query = request.line.split()[1].partition("?")
    assert path == "/api/v1/orders"
    assert sorted(query.split("&")) == ["from=2026", "limit=500", "place=true", "status=filled", "status=open"]
    assert request.headers["authorization"] == "Bearer mx_key"


@pytest.mark.parametrize(
    "lost", [None, PLACED[:-20], PLACED[:20], PLACED[:30], answer(503, {"code": "outcome_unknown"}), answer(502, "?")]
)
def test_an_order_is_sent_again_with_the_same_id(server: WebServer, exchange: Exchange, lost: bytes | None) -> None:
    in_turn(server, lost, lost, answer(200, {"order_id": 7, "status": "open", "client_order_id": "x"}))
    assert exchange.buy("PETR4", 100, 3_590)["order_id"] == 7
    ids = [json.loads(request.body)["client_order_id"] for request in server.requests]
    assert len(ids) == 3
    assert len(set(ids)) == 1
    assert len({request.body for request in server.requests}) == 1


def test_when_no_answer_comes_at_all_the_id_is_told(server: WebServer) -> None:
    exchange = Exchange(server.url(path=""), "k", timeout=0.2, patience=1)
    in_turn(server, None)
    with pytest.raises(OutcomeUnknown) as unknown:
        exchange.sell("PETR4", 100, 3_590, client_order_id="mine", document_number="1")
    assert unknown.value.client_order_id == "mine"


def test_what_might_be_done_twice_is_not_sent_again(server: WebServer, exchange: Exchange) -> None:
    in_turn(server, None, answer(201, {}))
    with pytest.raises(OutcomeUnknown):
        exchange.make_api_key("Bot", ["read"])
    assert len(server.requests) == 1


def test_what_was_put_off_is_sent_again_whatever_it_is(server: WebServer, exchange: Exchange) -> None:
    busy = answer(503, {"code": "busy"}, "Retry-After: 0")
    many = answer(429, {"code": "too_many_requests"}, "Retry-After: 1")
    in_turn(server, busy, many, answer(201, {"key_id": 1}))
    assert exchange.make_api_key("Bot", ["read"]) == {"key_id": 1}


def test_a_wait_that_is_too_long_is_not_begun(server: WebServer, exchange: Exchange) -> None:
    in_turn(server, answer(429, {"code": "too_many_requests"}, "Retry-After: 3600"))
    with pytest.raises(Refused, match="429 too_many_requests"):
        exchange.balance()
    assert len(server.requests) == 1


def test_a_refusal_says_why_and_is_not_repeated(server: WebServer, exchange: Exchange) -> None:
    problem = {"code": "insufficient_funds", "detail": "Not enough.", "required": 5, "request_id": "r"}
    in_turn(server, answer(422, problem))
    with pytest.raises(Refused) as refused:
        exchange.buy("PETR4", 1, 1)
    error = refused.value
    assert (error.status, error.code, error.detail, error.facts["required"], error.request_id) == (
        422, "insufficient_funds", "Not enough.", 5, "r",
    )  # fmt: skip
    assert str(error) == "422 insufficient_funds: Not enough."
    assert len(server.requests) == 1


def test_an_answer_of_somebody_else_is_told_as_it_is(server: WebServer, exchange: Exchange) -> None:
    server.answer = plainly(b"HTTP/1.1 404 Nowhere\r\nContent-Length: 4\r\n\r\n<p>!")
    with pytest.raises(Refused, match="404: Nowhere"):
        exchange.stock("PETR4")


def test_nobody_there() -> None:
    nowhere = Exchange(f"http://127.0.0.1:{random_free_port()}", "k", document="1", patience=0.5)
    for call in (nowhere.balance, lambda: nowhere.buy("PETR4", 1, 1), lambda: nowhere.make_api_key("a", ["read"])):
        with pytest.raises(Unreachable):
            call()


def test_who_comes_back_in_time_is_waited_for(server: WebServer) -> None:
    port = random_free_port()
    exchange = Exchange(f"http://127.0.0.1:{port}", "k", patience=30)

    def open_later() -> None:
        with socket.create_server(("127.0.0.1", port)) as door:
            connection, _ = door.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(answer(200, {"time": "now"}))

    timer = threading.Timer(0.5, open_later)
    timer.start()
    assert exchange.time() == "now"
    timer.join()


def test_lists_are_read_page_by_page_and_no_further(server: WebServer) -> None:
    pages: Callable[[int], bytes] = lambda page: answer(200, {"items": [1, 2], "next_cursor": str(page)})  # noqa: E731
    in_turn(server, pages(1), pages(2), answer(200, {"items": [3], "next_cursor": None}))
    transport = Transport(server.url(path=""))
    assert list(transport.items("/orders")) == [1, 2, 1, 2, 3]
    assert [request.line.split()[1].rpartition("=")[2] for request in server.requests[1:]] == ["1", "2"]
    in_turn(server, pages(1), answer(200, {"items": [3], "next_cursor": "4"}))
    assert list(transport.items("/orders", 3)) == [1, 2, 3]
    assert "limit=3" in server.requests[3].line
    assert "limit=1" in server.requests[4].line
