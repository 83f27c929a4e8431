"""Given an exchange that puts a request off, then it is asked again for a while, unless that could do it twice."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from cli.order_flow import patience
from cli.order_flow.exchange_client import ExchangeClient, Refused
from cli.order_flow.resting_orders import RestingOrders
from cli.terminal import CommandError


def answer(status: int, body: dict[str, Any], **headers: str) -> requests.Response:
    """What the exchange says."""
    said = requests.Response()
    said.status_code, said._content = status, json.dumps(body).encode()
    said.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return said


def problem(status: int, code: str, **facts: Any) -> dict[str, Any]:
    """A problem document."""
    return {"status": status, "code": code, "detail": f"It is {code}.", **facts}


LIMITED = answer(429, problem(429, "too_many_requests"), Retry_After="2")
BUSY = answer(503, problem(503, "busy"), Retry_After="1")
UNKNOWN = answer(503, problem(503, "outcome_unknown"), Retry_After="1")
WAITING = answer(409, problem(409, "amendment_waiting"))
DONE = answer(200, {"order_id": 7})


class Clock:
    """A time that only waiting moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.waits: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.waits.append(seconds)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(patience, "time", clock)
    return clock


def client_of(monkeypatch: pytest.MonkeyPatch, *answers: requests.Response) -> tuple[ExchangeClient, list[Any]]:
    """A client of an exchange that gives these answers, the last one for ever; and what it was asked."""
    client, left, asked = ExchangeClient("http://nowhere", "mx_key"), list(answers), []

    def request(method: str, url: str, **sent: Any) -> requests.Response:
        asked.append((method, url.removeprefix("http://nowhere/api/v1"), sent["json"]))
        return left.pop(0) if len(left) > 1 else left[0]

    monkeypatch.setattr(client, "_session", SimpleNamespace(request=request))
    return client, asked


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "POST"])
def test_what_nothing_was_done_of_is_sent_again_when_the_exchange_says(monkeypatch, clock, capsys, method):
    client, asked = client_of(monkeypatch, LIMITED, BUSY, DONE)
    assert client.call(method, "/orders", {"quantity": 1}).json() == {"order_id": 7}
    assert asked == [(method, "/orders", {"quantity": 1})] * 3
    assert clock.waits == [2, 1]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("said", ["", "0", "soon", "-3", "Wed, 21 Oct 2026 07:28:00 GMT"])
def test_who_is_told_no_time_waits_a_second(monkeypatch, clock, said):
    client, _ = client_of(monkeypatch, answer(503, problem(503, "busy"), Retry_After=said), DONE)
    client.call("POST", "/orders")
    assert clock.waits == [1]


def test_after_a_minute_it_gives_up_and_says_why(monkeypatch, clock, capsys):
    client, asked = client_of(monkeypatch, BUSY)
    with pytest.raises(CommandError) as given_up:
        client.get("/stocks")
    assert given_up.value.message == ("The exchange did not take it for 60 seconds: GET /stocks: 503 busy: It is busy.")
    assert (given_up.value.code, given_up.value.mend) == (1, ("minex status",))
    assert (len(asked), clock.now) == (61, 160.0)
    assert capsys.readouterr().err.count("waiting up to 60 s") == 1


def test_a_wait_that_is_longer_than_its_patience_is_not_begun(monkeypatch, clock):
    client, _ = client_of(monkeypatch, answer(429, problem(429, "too_many_requests"), Retry_After="3600"))
    with pytest.raises(CommandError, match="did not take it"):
        client.get("/stocks")
    assert clock.waits == []


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_where_the_outcome_is_unknown_only_what_can_be_repeated_is(monkeypatch, clock, method):
    client, _ = client_of(monkeypatch, UNKNOWN, DONE)
    client.call(method, "/orders/7")
    client, _ = client_of(monkeypatch, UNKNOWN, DONE)
    client.call("POST", "/orders", {"client_order_id": "mine"}, repeatable=True)
    client, asked = client_of(monkeypatch, UNKNOWN, DONE)
    with pytest.raises(Refused, match="outcome_unknown"):
        client.call("POST", "/register", {"name": "Once"})
    assert len(asked) == 1


def test_an_amendment_waits_for_the_one_before_it(monkeypatch, clock):
    client, asked = client_of(monkeypatch, UNKNOWN, WAITING, WAITING, DONE)
    client.call("PUT", "/orders/7", {"quantity": 5})
    assert (len(asked), clock.waits) == (4, [1, 1, 1])


@pytest.mark.parametrize(
    ("status", "code"), [(422, "insufficient_funds"), (403, "broker_suspended"), (500, "internal_error")]
)
def test_every_other_refusal_is_one_at_once(monkeypatch, clock, status, code):
    client, asked = client_of(monkeypatch, answer(status, problem(status, code)))
    with pytest.raises(Refused) as refused:
        client.call("GET", "/orders")
    assert (refused.value.problem, refused.value.code, len(asked), clock.waits) == (code, 4, 1, [])


BODIES = [{"client_order_id": f"n{n}"} for n in range(1, 6)]


def results(*each: int | str) -> requests.Response:
    """The answer to a batch: an order's id, or a code of what was put off or refused."""
    items = [
        {"status": 201, "order": {"order_id": one}}
        if isinstance(one, int)
        else {"status": 503, "problem": problem(503 if one in ("busy", "outcome_unknown") else 422, one)}
        for one in each
    ]
    return answer(200, {"results": items})


def test_resting_orders_go_as_one_batch(monkeypatch, clock):
    client, asked = client_of(monkeypatch, results(1, 2, 3, 4, 5))
    assert RestingOrders(client).place(BODIES) == [1, 2, 3, 4, 5]
    assert asked == [("POST", "/orders/batch", {"orders": BODIES})]
    assert RestingOrders(client).place([]) == []


def test_a_batch_of_which_a_part_was_put_off_is_sent_again_under_the_same_names(monkeypatch, clock):
    client, asked = client_of(monkeypatch, results(1, "busy", 3, "outcome_unknown", 5), results(1, 6, 3, 7, 5))
    assert RestingOrders(client).place(BODIES) == [1, 6, 3, 7, 5]
    assert asked == [("POST", "/orders/batch", {"orders": BODIES})] * 2
    assert clock.waits == [1]


def test_an_order_that_is_refused_ends_the_batch(monkeypatch, clock):
    client, _ = client_of(monkeypatch, results(1, "busy", "off_tick", 4, 5))
    with pytest.raises(CommandError, match="off_tick"):
        RestingOrders(client).place(BODIES)


def test_a_broker_who_may_place_few_at_once_sends_smaller_batches(monkeypatch, clock):
    too_large = answer(422, problem(422, "batch_too_large", limit=2))
    client, asked = client_of(monkeypatch, too_large, results(1, 2), results(3, 4), answer(201, {"order_id": 5}))
    orders = RestingOrders(client)
    assert orders.place(BODIES) == [1, 2, 3, 4, 5]
    assert [len(body.get("orders", [body])) for _, _, body in asked] == [5, 2, 2, 1]
    assert orders.most == 2
