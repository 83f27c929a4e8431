"""Given an administrator, when he lets people in, changes them and keeps them out, then it holds at once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.browser import Browser, told
from tests.api.venue import PASSWORD, Caller, Venue

NEW = {"username": "new.person", "password": PASSWORD, "role": "operator"}


def test_people_are_listed_without_anything_of_their_passwords(venue: Venue) -> None:
    trader, operator = venue.person(), venue.person("operator")
    found = venue.admin.get("/users")["items"]
    assert [user["user_id"] for user in found[:2]] == [operator.user_id, trader.user_id]
    assert found[1].keys() == {"user_id", "username", "role", "broker_id", "active", "created_at"}
    first = venue.admin.get("/users", limit=1)
    assert venue.admin.get("/users", limit=1, cursor=first["next_cursor"])["items"] == found[1:2]


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"role": "trader"}, 422, "broker_needed"), ({"role": "trader", "broker_id": None}, 422, "broker_needed"),
        ({"role": "trader", "broker_id": 10**9}, 404, "unknown_broker"), ({"role": "root"}, 422, "invalid_request"),
        ({"broker_id": 0}, 422, "invalid_request"), ({"password": "password1234"}, 422, "common_password"),
        ({"active": True}, 422, "invalid_request"),
    ],
)  # fmt: skip
def test_what_will_not_do_lets_nobody_in(venue: Venue, change: dict[str, Any], status: int, code: str) -> None:
    assert told(venue.admin.post("/users", {**NEW, **change})) == (status, code)
    assert venue.scalar("SELECT count(*) FROM users WHERE username = 'new.person'") == 0


def test_a_name_is_taken_in_any_case(venue: Venue) -> None:
    person = venue.person("clearing")
    assert told(venue.admin.post("/users", {**NEW, "username": person.username.upper()})) == (409, "username_taken")


def test_an_administrator_who_is_a_person_may_do_the_same(venue: Venue) -> None:
    admin = venue.person("admin")
    assert admin.post("/users", {**NEW, "username": "by.person"}).status_code == 201
    assert admin.get("/users")["items"][0]["username"] == "by.person"


def test_whoever_is_kept_out_is_out_and_may_come_back(venue: Venue) -> None:
    person = venue.person()
    browser = Browser(venue)
    phone = browser.log_in(person)
    changed = venue.admin.put(f"/users/{person.user_id}", {"active": False})
    assert (changed.status_code, changed.json["active"]) == (200, False)
    assert told(phone.call("GET", "/me")) == (401, "session_ended")
    assert told(browser.post("/token/refresh")) == (401, "session_ended")
    body = {"username": person.username, "password": PASSWORD}
    assert told(venue.nobody.post("/token", body)) == (401, "invalid_credentials")
    assert venue.admin.put(f"/users/{person.user_id}", {"active": True}).json["active"] is True
    person.log_in()


def test_another_role_holds_at_once(venue: Venue) -> None:
    person, stock = venue.person(), venue.list()
    assert told(person.post(f"/stocks/{stock}/state", {"state": "halted"})) == (403, "role_missing")
    changed = venue.admin.put(f"/users/{person.user_id}", {"role": "operator"}).json
    assert (changed["role"], changed["broker_id"]) == ("operator", person.broker_id)
    answer = person.call("GET", "/balance")
    assert (told(answer), answer.json["role"]) == ((403, "role_missing"), "trader")
    assert person.post(f"/stocks/{stock}/state", {"state": "halted"}).status_code in (200, 202)


def test_another_broker_holds_at_once(venue: Venue) -> None:
    person, other = venue.person(), venue.broker()
    venue.admin.put(f"/users/{person.user_id}", {"broker_id": other.broker_id})
    assert person.get("/balance")["broker_id"] == other.broker_id
    for body in ({"broker_id": None}, {"broker_id": 10**9}, {}, {"username": "other"}):
        assert venue.admin.put(f"/users/{person.user_id}", body).status_code in (404, 422)


def test_a_forgotten_password_is_set_anew_and_logs_out(venue: Venue) -> None:
    person = venue.person()
    password = "four chairs and a drum"
    assert venue.admin.put(f"/users/{person.user_id}", {"password": "aaaaaaaaaaaa"}).status_code == 422
    assert person.call("GET", "/me").status_code == 200
    assert venue.admin.put(f"/users/{person.user_id}", {"password": password}).status_code == 200
    assert told(person.call("GET", "/me")) == (401, "session_ended")
    person.log_in(password)


def test_nobody_is_changed_who_is_not_there(venue: Venue) -> None:
    for body in ({"active": False}, {"password": PASSWORD}):
        assert told(venue.admin.put("/users/999999", body)) == (404, "unknown_user")


def test_a_suspended_broker_has_people_who_may_look_and_cancel(venue: Venue) -> None:
    stock, broker = venue.list(), venue.broker()
    person = venue.person(broker=broker)
    venue.admin.post(f"/brokers/{broker.broker_id}/suspend")
    assert person.get("/orders")["items"] == []
    order = {"document_number": "1", "side": "bid", "symbol": stock, "quantity": 1, "price": 3_500}
    assert told(person.post("/orders", order)) == (403, "broker_suspended")
    assert told(person.post("/api-keys", {"name": "x", "scopes": ["read"]})) == (403, "broker_suspended")
    venue.admin.post(f"/brokers/{broker.broker_id}/activate")
    assert person.order("bid", stock, 1, 3_500)


def test_no_list_hands_out_what_lets_somebody_in(venue: Venue) -> None:
    """After keys and people were made, every GET as every role."""
    stock, broker = venue.list(), venue.broker()
    made = broker.post("/api-keys", {"name": "Bot", "scopes": ["read"]}).json["api_key"]
    people: list[Caller] = [venue.person(role) for role in ("trader", "clearing", "operator", "admin")]
    browser = Browser(venue)
    trader = browser.log_in(people[0])
    secrets = [broker.key, made, browser.refresh_cookie, browser.csrf, trader.key, PASSWORD, "$argon2"]
    secrets += [venue.scalar("SELECT encode(key_hash, 'hex') FROM api_keys ORDER BY id DESC LIMIT 1")]
    asked = 0
    for rule in venue.app.url_map.iter_rules():
        path = rule.rule.replace("<symbol:symbol>", stock)
        if "GET" in (rule.methods or ()) and "<" not in path:
            for caller in (broker, trader, *people, venue.admin, venue.nobody):
                headers = {"Authorization": f"Bearer {caller.key}"} if caller.key else {}
                text = venue.app.test_client().get(path, headers=headers, buffered=True).text
                assert not [secret for secret in secrets if secret and secret in text], path
                asked += 1
    assert asked > 100
