"""People over Socket.IO: they connect with access tokens, and are gone within two seconds of being out."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from sqlalchemy import text

from tests.flows.exchange import PATIENCE, RunningExchange, is_up, until
from tests.flows.raw_socket import RawSocket, auth, raw_socket

ADMIN_KEY = "mxadmin_of_the_stories_of_people"
PASSWORD = "six grey geese on a lake"
SHORT_SECONDS = 5
"""How long an access token is good here."""

WARNING_SECONDS = 1.5
"""Within this time everybody whose token ends soon is told."""


@dataclass
class Person:
    """Somebody who is logged in by REST."""

    base: str
    user_id: int
    username: str
    broker_id: int | None
    token: str = ""
    cookies: Any = None
    csrf: str = ""

    def log_in(self) -> Person:
        """Log in; oneself."""
        body = {"username": self.username, "password": PASSWORD}
        return self._taken(requests.post(f"{self.base}/api/v1/token", json=body, timeout=PATIENCE))

    def refresh(self) -> Person:
        """Get another access token; oneself."""
        headers = {"X-CSRF-Token": self.csrf}
        url = f"{self.base}/api/v1/token/refresh"
        return self._taken(requests.post(url, cookies=self.cookies, headers=headers, timeout=PATIENCE))

    def _taken(self, answer: requests.Response) -> Person:
        assert answer.status_code == 200, answer.text
        self.token, self.csrf, self.cookies = answer.json()["access_token"], answer.json()["csrf_token"], answer.cookies
        return self

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        """One request with the access token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.request(method, f"{self.base}/api/v1{path}", json=body, headers=headers, timeout=PATIENCE)


@pytest.fixture(scope="module")
def exchange(settings: Any, own_valkey: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningExchange]:
    """All but the clock, with access tokens that are good for five seconds."""
    running = RunningExchange(settings, tmp_path_factory.mktemp("exchange"), own_valkey.urls)
    rules = {"MINEX_IDENTITY_ACCESS_SECONDS": str(SHORT_SECONDS), "MINEX_ADMIN_KEY": ADMIN_KEY}
    try:
        running.list("PETR4")
        for name in ("web", "live", "match"):
            running.start(name, **rules)
        is_up(running.live_base)
        until(lambda: requests.get(f"{running.base}/health", timeout=5), "web answers")
        yield running
    finally:
        running.close()


@pytest.fixture
def port(exchange: RunningExchange) -> int:
    return exchange.settings.live.port


numbers = iter(range(10**6))


def as_admin(exchange: RunningExchange, method: str, path: str, body: Any) -> Any:
    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    answer = requests.request(method, f"{exchange.base}/api/v1{path}", json=body, headers=headers, timeout=PATIENCE)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def person(exchange: RunningExchange, role: str = "trader", broker_id: int | None = None) -> Person:
    if role == "trader" and broker_id is None:
        broker_id = exchange.trusted().broker_id
    username = f"person{next(numbers)}"
    body = {"username": username, "password": PASSWORD, "role": role, "broker_id": broker_id}
    made = as_admin(exchange, "POST", "/users", body)
    return Person(exchange.base, made["user_id"], username, broker_id).log_in()


def heard(raw: RawSocket, event: str) -> Any:
    """The payload of the next event of that name; others are left."""
    while True:
        name, payload = json.loads(raw.answer()[2:])
        if name == event:
            return payload


def is_closed(raw: RawSocket, code: str) -> float:
    """Wait until the server closes with this code; how many seconds that took."""
    began = time.monotonic()
    assert heard(raw, "CLOSED") == {"code": code}
    assert raw.farewell()[0] == 1008
    return time.monotonic() - began


def test_two_people_of_one_broker_hear_the_same(exchange: RunningExchange, port: int) -> None:
    one = person(exchange)
    other = person(exchange, broker_id=one.broker_id)
    with raw_socket(port) as first, raw_socket(port) as second:
        first.connect(auth(one.token))
        second.connect(auth(other.token))
        order = {"document_number": "1", "side": "bid", "symbol": "PETR4", "quantity": 10, "price": 3_400}
        assert one.call("POST", "/orders", order).status_code == 201
        assert heard(first, "ORDER_OPENED") == heard(second, "ORDER_OPENED")


@pytest.mark.parametrize("way", ["logout", "one session", "all sessions", "password", "kept out", "stolen"])
def test_whoever_is_out_is_gone_within_two_seconds(exchange: RunningExchange, port: int, way: str) -> None:
    here = person(exchange)
    elsewhere = Person(here.base, here.user_id, here.username, here.broker_id).log_in()
    with raw_socket(port) as raw:
        raw.connect(auth(here.token))
        if way == "logout":
            headers = {"X-CSRF-Token": here.csrf}
            url = f"{here.base}/api/v1/logout"
            assert requests.post(url, cookies=here.cookies, headers=headers, timeout=PATIENCE).status_code == 204
        elif way == "one session":
            session_id = here.call("GET", "/sessions").json()["items"][-1]["session_id"]
            assert elsewhere.call("DELETE", f"/sessions/{session_id}").status_code == 204
        elif way == "all sessions":
            assert elsewhere.call("DELETE", "/sessions").status_code == 204
        elif way == "password":
            body = {"current_password": PASSWORD, "new_password": "a lamp beside the window"}
            assert elsewhere.call("PUT", "/me/password", body).status_code == 204
        elif way == "kept out":
            as_admin(exchange, "PUT", f"/users/{here.user_id}", {"active": False})
        else:
            url, headers = f"{here.base}/api/v1/token/refresh", {"X-CSRF-Token": here.csrf}
            answers = [requests.post(url, cookies=here.cookies, headers=headers, timeout=PATIENCE) for _ in range(2)]
            assert [answer.status_code for answer in answers] == [200, 401]
        assert is_closed(raw, "session_ended") < 4.0  # two seconds, and a busy machine
    with raw_socket(port) as raw:
        assert raw.connect(auth(here.token))["data"] == {"code": "session_ended"}


def test_nothing_is_told_before_the_connection_is_answered(exchange: RunningExchange, port: int) -> None:
    """Its token is looked up and ends soon; where its own events stand is still waited for."""
    someone = person(exchange)
    path = f"/api/v1/stream?channels=account HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {someone.token}"
    with raw_socket(port) as raw, socket.create_connection(("127.0.0.1", port), PATIENCE) as stream:
        with exchange.engine.begin() as locking:
            locking.execute(text("LOCK TABLE account_counters IN ACCESS EXCLUSIVE MODE"))
            raw.send(f"40{auth(someone.token)}")
            stream.sendall(f"GET {path}\r\n\r\n".encode())
            time.sleep(WARNING_SECONDS)
        assert raw.answer().startswith("40")
        assert heard(raw, "SESSION_ENDING").keys() == {"at"}
        told = b""
        while b"SESSION_ENDING" not in told:
            told += (piece := stream.recv(65_536))
            assert piece, told
    assert told.startswith(b"HTTP/1.1 200")


def test_another_role_or_broker_closes_and_a_suspended_brokers_stay(exchange: RunningExchange, port: int) -> None:
    moved, promoted, suspended = person(exchange), person(exchange), person(exchange)
    with raw_socket(port) as one, raw_socket(port) as two, raw_socket(port) as three:
        for raw, found in ((one, moved), (two, promoted), (three, suspended)):
            raw.connect(auth(found.token))
        as_admin(exchange, "PUT", f"/users/{moved.user_id}", {"broker_id": exchange.broker().broker_id})
        as_admin(exchange, "PUT", f"/users/{promoted.user_id}", {"role": "operator"})
        as_admin(exchange, "POST", f"/brokers/{suspended.broker_id}/suspend", None)
        is_closed(one, "role_changed")
        is_closed(two, "role_changed")
        three.send("420" + json.dumps(["unsubscribe", {"channels": []}]))
        assert heard_answer(three) == [{"channels": [], "unknown": []}]
    with raw_socket(port) as again:
        assert "sid" in again.connect(auth(promoted.token)), "who acts for no broker hears what is public"
        assert again.emit("subscribe", {"channels": ["stock:PETR4"]})["unknown"] == []


def test_an_end_is_announced_and_may_be_put_off(exchange: RunningExchange, port: int) -> None:
    me, stranger = person(exchange), person(exchange)
    with raw_socket(port) as raw, raw_socket(port) as ends:
        raw.connect(auth(me.token))
        ends.connect(auth(me.token))
        assert heard(raw, "SESSION_ENDING").keys() == {"at"}
        first = heard(ends, "SESSION_ENDING")["at"]
        time.sleep(1.1)  # an end is told in whole seconds
        me.refresh()
        refused = raw.emit("authenticate", {"token": stranger.log_in().token})
        assert refused["code"] == "another_person"
        renewed = raw.emit("authenticate", {"token": me.token})
        assert renewed["expires_at"] > first
        assert heard(raw, "SESSION_ENDING")["at"] == renewed["expires_at"], "of the next end it is told as well"
        assert is_closed(ends, "token_expired") < SHORT_SECONDS + 3
        raw.send("420" + json.dumps(["unsubscribe", {"channels": []}]))
        assert heard_answer(raw) == [{"channels": [], "unknown": []}]


def heard_answer(raw: RawSocket) -> Any:
    """The next acknowledgement; events before it are left."""
    while not (answer := raw.answer()).startswith("430"):
        continue
    return json.loads(answer[3:])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], "unusable_auth"), ([{}], "unusable_auth"), ([None], "unusable_auth"), ([{"token": 7}], "unusable_auth"),
        (["token"], "unusable_auth"), ([{"token": "mx_key"}], "unauthenticated"),
        ([{"token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0."}], "unauthenticated"),
    ],
)  # fmt: skip
def test_what_renews_nothing_is_answered(exchange: RunningExchange, port: int, arguments: list[Any], code: str) -> None:
    me = person(exchange)
    with raw_socket(port) as raw:
        raw.connect(auth(me.token))
        raw.send("420" + json.dumps(["authenticate", *arguments]))
        assert heard_answer(raw)[0]["code"] == code


def test_a_key_or_nobody_renews_nothing(exchange: RunningExchange, port: int) -> None:
    me, broker = person(exchange), exchange.broker()
    for payload in (auth(broker.api_key), ""):
        with raw_socket(port) as raw:
            raw.connect(payload)
            assert raw.emit("authenticate", {"token": me.log_in().token})["code"] == "no_token"


def test_a_token_that_has_ended_or_nobody_signed_opens_nothing(exchange: RunningExchange, port: int) -> None:
    me = person(exchange)
    time.sleep(SHORT_SECONDS + 0.5)
    assert me.call("GET", "/me").json()["code"] == "token_expired"
    with closing(RawSocket(port).socket) as socket:
        socket.send(f"40{auth(me.token)}")
        assert json.loads(socket.recv()[2:])["data"] == {"code": "token_expired"}
    with raw_socket(port) as raw:
        assert raw.connect(auth(me.token[:-3] + "abc"))["data"] == {"code": "unauthenticated"}
        assert "sid" in raw.connect(auth(me.log_in().token))
