"""Given people, when they log in, go on and log out, then nobody else does so for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from typing import Any

import pytest
from werkzeug.test import TestResponse

from services.identity.people.passwords import LONGEST, SHORTEST
from tests.api.browser import Browser, told
from tests.api.venue import PASSWORD, Caller, Venue, settings_for

WRONG = "seven wrong words here"


@pytest.fixture
def person(venue: Venue) -> Caller:
    return venue.person()


@pytest.fixture
def browser(venue: Venue) -> Browser:
    return Browser(venue)


def cookies_of(answer: TestResponse) -> dict[str, Any]:
    found = SimpleCookie()
    for line in answer.headers.getlist("Set-Cookie"):
        found.load(line)
    return dict(found)


class TestLoggingIn:
    def test_the_answer_says_who_one_is_and_the_refresh_token_is_in_a_cookie_alone(
        self, person: Caller, browser: Browser
    ) -> None:
        answer = browser.post("/token", {"username": person.username.upper(), "password": PASSWORD})
        assert answer.json["token_type"] == "Bearer"
        assert answer.json["expires_in"] == 900
        user = answer.json["user"]
        assert (user["username"], user["role"], user["broker_id"]) == (person.username, "trader", person.broker_id)
        assert user["scopes"] == ["read", "trade", "cancel"]
        cookies = cookies_of(answer)
        refresh, csrf = cookies["minex_refresh"], cookies["minex_csrf"]
        assert (refresh["path"], refresh["samesite"], bool(refresh["httponly"])) == ("/api/v1", "Strict", True)
        assert (csrf["path"], csrf["samesite"], bool(csrf["httponly"])) == ("/", "Strict", False)
        assert csrf.value == answer.json["csrf_token"]
        assert refresh.value not in answer.text
        assert 29 * 86_400 < int(refresh["max-age"]) <= 30 * 86_400
        assert answer.headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize(
        ("host", "secure"),
        [
            ("localhost:8000", False), ("127.0.0.1:8000", False), ("[::1]:8000", False),
            ("exchange.example", True), ("192.0.2.1:8000", True), ("localhost.example", True), ("[", True),
        ],
    )  # fmt: skip
    def test_cookies_are_secure_wherever_it_is_not_this_machine(
        self, venue: Venue, person: Caller, host: str, secure: bool
    ) -> None:
        answer = Browser(venue, host).post("/token", {"username": person.username, "password": PASSWORD})
        assert [bool(cookie["secure"]) for cookie in cookies_of(answer).values()] == [secure, secure]

    def test_unknown_and_wrong_are_told_alike(self, person: Caller, browser: Browser) -> None:
        wrong = browser.post("/token", {"username": person.username, "password": WRONG})
        unknown = browser.post("/token", {"username": "nobody-here", "password": WRONG})
        strange = browser.post("/token", {"username": "no such name'; --", "password": WRONG})
        bodies = [{**answer.json, "request_id": ""} for answer in (wrong, unknown, strange)]
        assert bodies[0] == bodies[1] == bodies[2]
        assert told(wrong) == (401, "invalid_credentials")
        assert [sorted(answer.headers.keys()) for answer in (wrong, unknown)] == [sorted(wrong.headers.keys())] * 2

    def test_unknown_and_wrong_take_the_same_work(
        self, venue: Venue, person: Caller, browser: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hashed: list[str | None] = []
        monkeypatch.setattr("api.access.passwords.is_password", lambda _, stored: hashed.append(stored))
        browser.post("/token", {"username": person.username, "password": WRONG})
        browser.post("/token", {"username": "nobody-there", "password": WRONG})
        assert len(hashed) == 2
        assert hashed[1] is None

    def test_after_failures_one_waits_but_only_there(self, person: Caller, browser: Browser) -> None:
        body = {"username": person.username, "password": WRONG}
        answers = [browser.post("/token", body, address="192.0.2.9") for _ in range(5)]
        assert [told(answer) for answer in answers] == [(401, "invalid_credentials")] * 3 + [
            (429, "too_many_requests")
        ] * 2
        assert answers[-1].headers["Retry-After"] == "1"
        right = {**body, "password": PASSWORD}
        assert browser.post("/token", right, address="192.0.2.9").status_code == 429, "the right one waits as well"
        assert browser.post("/token", right, address="192.0.2.10").status_code == 200
        assert browser.post("/token", {**body, "username": "somebody"}, address="192.0.2.9").status_code == 401

    def test_one_network_of_ipv6_is_one_visitor(self, person: Caller, browser: Browser) -> None:
        body = {"username": person.username, "password": WRONG}
        found = [browser.post("/token", body, address=f"2001:db8:1:1::{number:x}") for number in range(1, 9)]
        assert [answer.status_code for answer in found] == [401] * 3 + [429] * 5

    def test_a_forwarded_address_is_nobodys(self, person: Caller, browser: Browser) -> None:
        body = {"username": person.username, "password": WRONG}
        found = []
        for number in range(5):
            forged = f"10.0.0.{number}"
            headers = {"X-Forwarded-For": forged, "Forwarded": f"for={forged}", "X-Real-IP": forged}
            environ = {"REMOTE_ADDR": "192.0.2.11"}
            answer = browser.client.post("/api/v1/token", json=body, headers=headers, environ_overrides=environ)
            found.append(answer.status_code)
        assert found == [401, 401, 401, 429, 429]

    @pytest.mark.parametrize("length", [0, LONGEST + 1, 60_000])
    def test_a_password_of_no_length_is_refused_before_it_is_hashed(
        self, person: Caller, browser: Browser, monkeypatch: pytest.MonkeyPatch, length: int
    ) -> None:
        monkeypatch.setattr("api.access.passwords.is_password", lambda *_: pytest.fail("it was hashed"))
        answer = browser.post("/token", {"username": person.username, "password": "x" * length})
        assert answer.status_code == 422
        assert answer.json["errors"].keys() == {"password"}

    def test_an_overload_is_no_failure(
        self, venue: Venue, person: Caller, browser: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        hashing = venue.components.hashing
        monkeypatch.setattr(hashing._places, "_seconds", 0.01)
        right = {"username": person.username, "password": PASSWORD}
        with hashing.turn("192.0.2.50"), monkeypatch.context() as patch:
            asked = "a crowd in line must not ask Redis all at once"
            patch.setattr(venue.components.log_in_guard._counters, "shared", lambda _: pytest.fail(asked))
            for _ in range(10):
                answer = browser.post("/token", right, address="192.0.2.51")
                assert told(answer) == (503, "log_ins_busy")
                assert answer.headers["Retry-After"]
        assert browser.post("/token", right, address="192.0.2.51").status_code == 200

    def test_a_hash_that_fails_is_no_failure_either(
        self, person: Caller, browser: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> bool:
            raise MemoryError

        right = {"username": person.username, "password": PASSWORD}
        with monkeypatch.context() as patch:
            patch.setattr("api.access.passwords.is_password", broken)
            assert {browser.post("/token", right, address="192.0.2.52").status_code for _ in range(10)} == {500}
        assert browser.post("/token", right, address="192.0.2.52").status_code == 200

    def test_where_there_is_no_secret_nobody_logs_in(self, database_url: str, redis_url: str) -> None:
        venue = Venue(settings_for(database_url, redis_url, identity={"token_secret": ""}))
        answer = Browser(venue).post("/token", {"username": "ana", "password": PASSWORD})
        assert told(answer) == (503, "log_ins_closed")
        venue.close()


class TestGoingOn:
    def test_a_refresh_gives_another_pair_and_uses_the_old_one_up(self, person: Caller, browser: Browser) -> None:
        first = browser.log_in(person)
        old_cookie, old_word = browser.refresh_cookie, browser.csrf
        second = browser.taken(browser.post("/token/refresh"), person)
        assert browser.refresh_cookie != old_cookie
        assert browser.csrf != old_word
        assert first.get("/me") == second.get("/me")

    def test_a_stolen_token_ends_the_session_for_both(self, venue: Venue, person: Caller, browser: Browser) -> None:
        browser.log_in(person)
        thief = Browser(venue)
        thief.client.set_cookie("minex_refresh", browser.refresh_cookie, domain="localhost", path="/api/v1")
        thief.csrf = browser.csrf
        stolen = thief.taken(thief.post("/token/refresh"), person)
        assert stolen.call("GET", "/me").status_code == 200
        refused = browser.post("/token/refresh")
        assert told(refused) == (401, "refresh_reused")
        assert not refused.headers.getlist("Set-Cookie"), "a refusal clears no cookies"
        assert told(stolen.call("GET", "/me")) == (401, "session_ended")
        assert told(thief.post("/token/refresh")) == (401, "session_ended")

    def test_twenty_at_once_have_one_successor_at_most(self, venue: Venue, person: Caller, browser: Browser) -> None:
        browser.log_in(person)
        answers: list[TestResponse] = []

        def run() -> None:
            tab = Browser(venue)
            tab.client.set_cookie("minex_refresh", browser.refresh_cookie, domain="localhost", path="/api/v1")
            answers.append(tab.post("/token/refresh", csrf=browser.csrf))

        threads = [threading.Thread(target=run) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted({told(answer) for answer in answers}, key=str) in (
            [(200, None), (401, "refresh_reused")], [(401, "refresh_reused")],
        )  # fmt: skip
        assert sum(answer.status_code == 200 for answer in answers) <= 1

    @pytest.mark.parametrize(("word", "code"), [(None, "csrf_missing"), ("wrong", "csrf_wrong"), ("é", "csrf_wrong")])
    @pytest.mark.parametrize("path", ["/token/refresh", "/logout"])
    def test_without_its_word_the_token_is_not_used_up(
        self, person: Caller, browser: Browser, path: str, word: str | None, code: str
    ) -> None:
        me = browser.log_in(person)
        answer = browser.post(path, csrf=word)
        assert told(answer) == (403, code)
        assert not answer.headers.getlist("Set-Cookie")
        assert me.call("GET", "/me").status_code == 200
        assert browser.post("/token/refresh").status_code == 200

    @pytest.mark.parametrize("path", ["/token/refresh", "/logout"])
    def test_the_word_alone_or_an_access_token_does_nothing(
        self, venue: Venue, person: Caller, browser: Browser, path: str
    ) -> None:
        me = browser.log_in(person)
        other = Browser(venue)
        assert told(other.post(path, csrf=browser.csrf)) == (401, "unauthenticated")
        assert me.key
        other.client.set_cookie("minex_refresh", me.key, domain="localhost", path="/api/v1")
        assert told(other.post(path, csrf=browser.csrf)) == (401, "unauthenticated")
        assert told(me.post(path)) == (401, "unauthenticated")

    def test_a_refresh_token_is_no_access_token(self, person: Caller, browser: Browser, venue: Venue) -> None:
        browser.log_in(person)
        assert told(Caller(venue, browser.refresh_cookie).call("GET", "/me")) == (401, "unauthenticated")

    def test_an_old_word_is_wrong(self, person: Caller, browser: Browser) -> None:
        browser.log_in(person)
        old = browser.csrf
        browser.taken(browser.post("/token/refresh"), person)
        assert told(browser.post("/token/refresh", csrf=old)) == (403, "csrf_wrong")
        assert browser.post("/token/refresh").status_code == 200

    def test_a_session_has_an_end(self, venue: Venue, person: Caller, browser: Browser) -> None:
        me = browser.log_in(person)
        venue.run("UPDATE user_sessions SET expires_at = now() WHERE user_id = :id", id=person.user_id)
        assert told(me.call("GET", "/me")) == (401, "session_ended")
        assert told(browser.post("/token/refresh")) == (401, "session_ended")


class TestLoggingOut:
    def test_the_session_ends_and_the_cookies_go(self, person: Caller, browser: Browser) -> None:
        me = browser.log_in(person)
        answer = browser.post("/logout")
        assert answer.status_code == 204
        cookies = cookies_of(answer)
        assert {name: (cookie.value, cookie["max-age"]) for name, cookie in cookies.items()} == {
            "minex_refresh": ("", "0"), "minex_csrf": ("", "0"),
        }  # fmt: skip
        assert told(me.call("GET", "/me")) == (401, "session_ended")
        assert browser.client.get_cookie("minex_refresh", "localhost", "/api/v1") is None

    def test_an_old_token_logs_out_and_is_told_as_reused(self, venue: Venue, person: Caller, browser: Browser) -> None:
        browser.log_in(person)
        old, word = browser.refresh_cookie, browser.csrf
        me = browser.taken(browser.post("/token/refresh"), person)
        other = Browser(venue)
        other.client.set_cookie("minex_refresh", old, domain="localhost", path="/api/v1")
        assert told(other.post("/logout", csrf=word)) == (401, "refresh_reused")
        assert told(me.call("GET", "/me")) == (401, "session_ended")


class TestAccessTokens:
    def test_an_expired_one_says_so(self, venue: Venue, person: Caller) -> None:
        session_id = venue.scalar("SELECT max(id) FROM user_sessions WHERE user_id = :id", id=person.user_id)
        long_ago = datetime.now(UTC) - timedelta(hours=1)
        expired = venue.components.tokens.access(session_id, person.user_id, long_ago)
        assert told(Caller(venue, expired).call("GET", "/me")) == (401, "token_expired")

    def test_one_of_another_person_or_session_is_not_believed(self, venue: Venue, person: Caller) -> None:
        """As after a restore to an earlier point: ids are given out again."""
        other = venue.person()
        session_id = venue.scalar("SELECT max(id) FROM user_sessions WHERE user_id = :id", id=person.user_id)
        for session, user in ((session_id, other.user_id), (10**9, person.user_id)):
            token = venue.components.tokens.access(session, user, datetime.now(UTC))
            assert told(Caller(venue, token).call("GET", "/me")) == (401, "session_ended")

    def test_one_that_nobody_signed_counts_as_a_guess(self, database_url: str, redis_url: str) -> None:
        venue = Venue(settings_for(database_url, redis_url, limits={"failures_per_minute": 3}))
        guess = Caller(venue, "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl")
        found = [told(guess.call("GET", "/me", environ_overrides={"REMOTE_ADDR": "192.0.2.61"})) for _ in range(4)]
        assert found == [(401, "unauthenticated")] * 3 + [(429, "too_many_requests")]
        venue.close()


class TestSigningUp:
    @pytest.fixture
    def rich(self, database_url: str, redis_url: str) -> Iterator[Venue]:
        rules = {"signup_cash": 5_000_000, "signup_positions": ("gift:100", "NOSUCH:5")}
        venue = Venue(settings_for(database_url, redis_url, identity=rules))
        yield venue
        venue.close()

    def test_makes_a_trader_and_a_broker_with_paper_money(self, rich: Venue) -> None:
        rich.list(symbol="GIFT")
        answer = rich.nobody.post("/signup", {"username": "Nova.Trader", "password": PASSWORD})
        assert answer.status_code == 201
        assert answer.json.keys() == {"user_id", "username", "role", "broker_id"}
        assert (answer.json["username"], answer.json["role"]) == ("nova.trader", "trader")
        nova = Caller(rich, None, answer.json["broker_id"], answer.json["user_id"], "nova.trader")
        nova.log_in()
        assert nova.get("/balance")["available"] == 5_000_000
        assert nova.get("/balance")["broker_name"] == "nova.trader"
        assert {held["symbol"]: held["available"] for held in nova.get("/portfolio")["positions"]} == {"GIFT": 100}
        assert rich.scalar("SELECT count(*) FROM api_keys WHERE broker_id = :id", id=nova.broker_id) == 0
        assert nova.order("ask", "GIFT", 10, 3_500)

    def test_a_name_is_taken_once_also_by_two_at_once(self, venue: Venue) -> None:
        answers: list[tuple[int, str | None]] = []

        def run() -> None:
            answers.append(told(Browser(venue).post("/signup", {"username": "One.Name", "password": PASSWORD})))

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answers, key=str) == [(201, None)] + [(409, "username_taken")] * 3
        assert venue.scalar("SELECT count(*) FROM brokers WHERE name = 'one.name'") == 1

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("username", "ab"), ("username", "a" * 33), ("username", "a b"), ("username", "äöü"), ("username", "a\n"),
            ("username", 7), ("password", "x" * (SHORTEST - 1)), ("password", "x" * (LONGEST + 1)),
            ("password", "password1234"), ("password", "aaaaaaaaaaaa"), ("password", None),
            ("role", "admin"), ("broker_id", 1), ("credit_limit", 10**9), ("cash", 10**9),
        ],
    )  # fmt: skip
    def test_what_will_not_do_is_named_and_makes_nobody(self, venue: Venue, field: str, value: Any) -> None:
        before = venue.scalar("SELECT count(*) FROM brokers")
        body = {"username": "careless", "password": PASSWORD, field: value}
        answer = venue.nobody.post("/signup", body)
        assert answer.status_code == 422
        assert answer.json["errors"].keys() == {field}
        assert str(value) not in answer.text or field != "password" or not value
        assert venue.scalar("SELECT count(*) FROM brokers") == before

    def test_where_it_is_closed_nobody_signs_up(self, database_url: str, redis_url: str) -> None:
        for signup in (False, None):
            venue = Venue(settings_for(database_url, redis_url, identity={"signup": signup}))
            answer = venue.nobody.post("/signup", {"username": "stranger", "password": PASSWORD})
            assert told(answer) == (403, "sign_up_closed")
            venue.close()

    def test_so_many_an_hour_from_one_address(self, venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("api.accounts.people.log_ins.hashed", lambda *_: "no hash")
        found = []
        for number in range(62):
            body = {"username": f"crowd{number}", "password": PASSWORD}
            found.append(Browser(venue).post("/signup", body, address=f"2001:db8:77::{number:x}"))
        assert [answer.status_code for answer in found] == [201] * 60 + [429] * 2
        assert 3_000 < int(found[-1].headers["Retry-After"]) <= 3_600
