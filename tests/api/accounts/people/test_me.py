"""Given somebody who is logged in, then he sees who and where he is, and ends what is his alone."""

from __future__ import annotations

import pytest

from tests.api.browser import Browser, told
from tests.api.venue import ADMIN_KEY, PASSWORD, Caller, Venue

OTHER = "a lamp beside the window"


@pytest.fixture
def person(venue: Venue) -> Caller:
    return venue.person()


def test_one_is_told_who_one_is(venue: Venue, person: Caller) -> None:
    name = person.get("/balance")["broker_name"]
    assert person.get("/me") == {
        "user_id": person.user_id, "username": person.username, "role": "trader", "broker_id": person.broker_id,
        "broker_name": name, "scopes": ["read", "trade", "cancel"],
    }  # fmt: skip
    operator = venue.person("operator")
    assert operator.get("/me") | {"user_id": 0} == {
        "user_id": 0, "username": operator.username, "role": "operator", "broker_id": None, "broker_name": None,
        "scopes": [],
    }  # fmt: skip


def test_so_is_whoever_has_a_key(venue: Venue) -> None:
    broker = venue.broker()
    made = broker.post("/api-keys", {"name": "Screen", "scopes": ["read"]}).json
    screen = Caller(venue, made["api_key"]).get("/me")
    assert (screen["user_id"], screen["role"], screen["broker_id"]) == (None, None, broker.broker_id)
    assert (screen["broker_name"], screen["scopes"]) == (broker.get("/balance")["broker_name"], ["read"])
    admin = Caller(venue, ADMIN_KEY).get("/me")
    assert (admin["role"], admin["broker_id"], admin["scopes"]) == ("admin", None, [])


def test_two_people_of_one_broker_see_the_same_orders_and_have_sessions_of_their_own(venue: Venue) -> None:
    stock, broker = venue.list(), venue.broker()
    one, other = venue.person(broker=broker), venue.person(broker=broker)
    order_id = one.order("bid", stock, 10, 3_500)
    assert other.get(f"/orders/{order_id}") == one.get(f"/orders/{order_id}") == broker.get(f"/orders/{order_id}")
    session_id = one.get("/sessions")["items"][0]["session_id"]
    assert told(other.delete(f"/sessions/{session_id}")) == (403, "not_your_session")
    assert told(other.delete("/sessions/999999")) == (404, "unknown_session")
    assert [found["session_id"] for found in other.get("/sessions")["items"]] != [session_id]
    with venue.matching():
        assert other.delete(f"/orders/{order_id}").status_code == 204


class TestSessions:
    def test_are_listed_newest_first_with_where_they_are(self, venue: Venue, person: Caller) -> None:
        phone = Browser(venue).log_in(person)
        found = phone.get("/sessions")["items"]
        assert [session["current"] for session in found] == [True, False]
        assert found[0]["address"] == "127.0.0.1"
        assert "Werkzeug" in found[0]["user_agent"]
        assert found[0].keys() == {
            "session_id", "created_at", "last_used_at", "address", "user_agent", "current",
        }  # fmt: skip
        first = phone.get("/sessions", limit=1)
        rest = phone.get("/sessions", limit=1, cursor=first["next_cursor"])
        assert first["items"] + rest["items"] == found
        assert rest["next_cursor"] is None

    def test_one_ends_another(self, venue: Venue, person: Caller) -> None:
        browser = Browser(venue)
        phone = browser.log_in(person)
        lost = phone.get("/sessions")["items"][0]["session_id"]
        assert person.delete(f"/sessions/{lost}").status_code == 204
        assert told(phone.call("GET", "/me")) == (401, "session_ended")
        assert told(browser.post("/token/refresh")) == (401, "session_ended")
        assert person.call("GET", "/me").status_code == 200
        assert lost not in [session["session_id"] for session in person.get("/sessions")["items"]]
        assert person.delete(f"/sessions/{lost}").status_code == 204, "once more is no error"

    def test_all_end_at_once(self, venue: Venue, person: Caller) -> None:
        phone = Browser(venue).log_in(person)
        assert phone.delete("/sessions").status_code == 204
        assert {told(caller.call("GET", "/me")) for caller in (person, phone)} == {(401, "session_ended")}


class TestPassword:
    def test_another_one_ends_all_other_sessions(self, venue: Venue, person: Caller) -> None:
        phone = Browser(venue).log_in(person)
        body = {"current_password": PASSWORD, "new_password": OTHER}
        assert person.put("/me/password", body).status_code == 204
        assert person.call("GET", "/me").status_code == 200
        assert told(phone.call("GET", "/me")) == (401, "session_ended")
        person.log_in(OTHER)
        assert venue.nobody.post("/token", {"username": person.username, "password": PASSWORD}).status_code == 401

    def test_who_does_not_know_the_present_one_changes_nothing_and_waits(self, venue: Venue, person: Caller) -> None:
        body = {"current_password": "some guess or other", "new_password": OTHER}
        found = [told(person.put("/me/password", body)) for _ in range(4)]
        assert found == [(403, "wrong_password")] * 3 + [(429, "too_many_requests")]
        assert person.call("GET", "/me").status_code == 200

    @pytest.mark.parametrize("password", ["short", "password1234", "x" * 129])
    def test_one_that_will_not_do_is_refused(self, person: Caller, password: str) -> None:
        answer = person.put("/me/password", {"current_password": PASSWORD, "new_password": password})
        assert answer.status_code == 422
        assert answer.json["errors"].keys() == {"new_password"}
        person.log_in(PASSWORD)

    def test_a_key_changes_none(self, venue: Venue) -> None:
        body = {"current_password": PASSWORD, "new_password": OTHER}
        assert told(venue.broker().put("/me/password", body)) == (403, "person_only")
        assert told(venue.admin.put("/me/password", body)) == (403, "person_only")


def test_a_person_makes_keys_that_outlive_the_session(venue: Venue, person: Caller) -> None:
    made = person.post("/api-keys", {"name": "Bot", "scopes": ["read", "trade"]}).json
    bot = Caller(venue, made["api_key"], person.broker_id)
    assert person.post(f"/api-keys/{made['key_id']}/rotate", {"overlap_seconds": 60}).status_code == 201
    assert person.delete("/sessions").status_code == 204
    assert bot.get("/balance")["broker_id"] == person.broker_id
    assert told(person.post("/api-keys", {"name": "Late", "scopes": ["read"]})) == (401, "session_ended")


def test_a_session_that_has_just_ended_leaves_no_key_behind(venue: Venue, person: Caller) -> None:
    """What is believed of a session may be a moment old."""
    remembered = venue.components.sessions.remembered
    kept, remembered._cache_seconds = remembered._cache_seconds, 5.0
    try:
        person.get("/me")
        venue.run("UPDATE user_sessions SET ended_at = now() WHERE user_id = :id", id=person.user_id)
        assert person.call("GET", "/me").status_code == 200
        assert told(person.post("/api-keys", {"name": "Late", "scopes": ["read"]})) == (401, "session_ended")
        venue.run("UPDATE user_sessions SET ended_at = NULL WHERE user_id = :id", id=person.user_id)
        venue.run("UPDATE users SET role = 'operator' WHERE id = :id", id=person.user_id)
        assert told(person.post("/api-keys", {"name": "Late", "scopes": ["read"]})) == (403, "role_missing")
    finally:
        remembered._cache_seconds = kept
    assert person.call("GET", "/api-keys").status_code == 403
