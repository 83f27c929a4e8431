"""A broker's own keys: made, listed, rotated and revoked by itself."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.identity import own_keys
from services.timestamps import timestamp
from tests.api.venue import Caller, Venue, settings_for

ALL = ["read", "trade", "cancel"]
SHOWN = {
    "key_id", "prefix", "name", "scopes", "expires_at", "allowed_addresses", "created_at", "last_used_at", "revoked_at",
}  # fmt: skip


def in_seconds(seconds: float) -> str:
    return timestamp(datetime.now(UTC) + timedelta(seconds=seconds))


def made(caller: Caller, **wanted: Any) -> dict[str, Any]:
    """A key that must be made; the answer."""
    answer = caller.post("/api-keys", {"name": "Bot", "scopes": ALL, **wanted})
    assert answer.status_code == 201, answer.json
    return answer.json


def with_key(venue: Venue, key: dict[str, Any], broker: Caller) -> Caller:
    return Caller(venue, key["api_key"], broker.broker_id)


def refusal(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["code"]


def test_a_key_is_shown_once_and_works(venue: Venue) -> None:
    broker = venue.broker()
    key = made(broker, name="Mesa São Paulo", scopes=["cancel", "read"])
    assert set(key) == SHOWN | {"api_key"}
    assert key["api_key"].startswith(key["prefix"])
    assert len(key["prefix"]) == 11
    assert (key["name"], key["scopes"]) == ("Mesa São Paulo", ["read", "cancel"])
    assert with_key(venue, key, broker).get("/balance")["broker_id"] == broker.broker_id
    listed = broker.get("/api-keys")["items"]
    assert [item["name"] for item in listed] == ["Mesa São Paulo", "first key"]
    assert all(set(item) == SHOWN for item in listed)
    assert broker.key.startswith(listed[1]["prefix"])
    assert key["api_key"] not in broker.call("GET", "/api-keys").text


def test_keys_come_in_pages_and_are_ones_own(venue: Venue) -> None:
    broker, other = venue.broker(), venue.broker()
    made(other)
    names = [f"Key {number}" for number in range(5)]
    for name in names:
        made(broker, name=name)
    seen, cursor = [], None
    while not seen or cursor:
        found = broker.get("/api-keys", limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [item["name"] for item in found["items"]]
        cursor = found["next_cursor"]
    assert seen == [*reversed(names), "first key"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": None}, "name"), ({"name": ""}, "name"), ({"scopes": []}, "scopes"), ({"scopes": None}, "scopes"),
        ({"scopes": ["read", "admin"]}, "scopes.1"), ({"scopes": ["read", "read"]}, "scopes"),
        ({"scopes": "read"}, "scopes"), ({"expires_at": "tomorrow"}, "expires_at"),
        ({"expires_at": "2026-01-01T00:00:00"}, "expires_at"), ({"allowed_addresses": []}, "allowed_addresses"),
        ({"allowed_addresses": ["10.0.0.0/33"]}, "allowed_addresses.0"),
        ({"allowed_addresses": ["10.0.0.1/8"]}, "allowed_addresses.0"),
        ({"allowed_addresses": ["fe80::1%eth0"]}, "allowed_addresses.0"),
        ({"allowed_addresses": ["10.0.0.1", 7]}, "allowed_addresses.1"),
        ({"allowed_addresses": ["10.0.0.1"] * 51}, "allowed_addresses"), ({"broker_id": 1}, "broker_id"),
        ({"api_key": "mx_mine"}, "api_key"), ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
    ],
)  # fmt: skip
def test_every_wrong_field_is_named(venue: Venue, changes: dict[str, Any], field: str) -> None:
    broker = venue.broker()
    answer = broker.post("/api-keys", {"name": "Bot", "scopes": ALL, **changes})
    assert answer.status_code == 422
    assert field in answer.json["errors"], answer.json
    assert len(broker.get("/api-keys")["items"]) == 1


def test_a_revoked_key_is_told_so_and_stays_revoked(venue: Venue) -> None:
    broker, other = venue.broker(), venue.broker()
    key = made(broker)
    bot = with_key(venue, key, broker)
    bot.get("/balance")
    assert refusal(other.delete(f"/api-keys/{key['key_id']}")) == (403, "not_your_key")
    assert bot.call("GET", "/balance").status_code == 200
    for _ in range(2):
        assert broker.delete(f"/api-keys/{key['key_id']}").status_code == 204
    answer = bot.call("GET", "/balance")
    assert refusal(answer) == (401, "key_revoked")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    first = broker.get("/api-keys")["items"][0]["revoked_at"]
    assert first
    broker.delete(f"/api-keys/{key['key_id']}")
    assert broker.get("/api-keys")["items"][0]["revoked_at"] == first
    assert refusal(broker.delete("/api-keys/999999")) == (404, "unknown_api_key")
    assert refusal(broker.delete(f"/api-keys/{2**63}")) == (404, "unknown_api_key")


def test_an_expired_key_is_told_so_also_where_it_is_remembered(database_url: str, redis_url: str) -> None:
    venue = Venue(settings_for(database_url, redis_url, web={"key_cache_ms": 5_000}))
    broker = venue.broker()
    bot = with_key(venue, made(broker, expires_at=in_seconds(1)), broker)
    assert bot.call("GET", "/balance").status_code == 200
    time.sleep(1.05)
    assert refusal(bot.call("GET", "/balance")) == (401, "key_expired")
    venue.close()


def test_a_rotated_key_is_like_the_old_one_which_ends_when_asked(venue: Venue) -> None:
    broker, other = venue.broker(), venue.broker()
    old = made(broker, name="Bot", scopes=["trade"], allowed_addresses=["127.0.0.0/8"])
    new = broker.post(f"/api-keys/{old['key_id']}/rotate", {"overlap_seconds": 1}).json
    alike = ("name", "scopes", "allowed_addresses", "expires_at")
    assert [new[name] for name in alike] == [old[name] for name in alike]
    assert new["api_key"] != old["api_key"]
    for key in (old, new):
        assert refusal(with_key(venue, key, broker).call("GET", "/balance")) == (403, "scope_missing")
    time.sleep(1.05)
    assert refusal(with_key(venue, old, broker).call("GET", "/balance")) == (401, "key_expired")
    again = broker.post(f"/api-keys/{new['key_id']}/rotate", {})
    assert again.status_code == 201
    assert refusal(with_key(venue, new, broker).call("GET", "/balance")) == (401, "key_revoked")
    for ended in (old, new):
        assert refusal(broker.post(f"/api-keys/{ended['key_id']}/rotate", {})) == (409, "key_ended")
    assert refusal(other.post(f"/api-keys/{again.json['key_id']}/rotate", {})) == (403, "not_your_key")
    assert (
        broker.post(f"/api-keys/{again.json['key_id']}/rotate", {"overlap_seconds": 30 * 86_400 + 1}).status_code == 422
    )


def test_an_overlap_never_makes_a_key_last_longer(venue: Venue) -> None:
    broker = venue.broker()
    key = made(broker, expires_at=in_seconds(600))
    broker.post(f"/api-keys/{key['key_id']}/rotate", {"overlap_seconds": 86_400})
    ends = {item["key_id"]: item["expires_at"] for item in broker.get("/api-keys")["items"]}
    assert ends[key["key_id"]] == key["expires_at"]


def test_a_key_makes_none_that_reaches_further(venue: Venue) -> None:
    broker = venue.broker()
    end = in_seconds(3_600)
    maker = with_key(venue, made(broker, expires_at=end, allowed_addresses=["127.0.0.0/16"]), broker)
    wide = broker.get("/api-keys")["items"][-1]["key_id"]
    for changes in (
        {"expires_at": in_seconds(7_200)},
        {"allowed_addresses": ["127.0.0.0/8"]},
        {"allowed_addresses": ["127.0.0.1", "::/0"]},
    ):
        assert refusal(maker.post("/api-keys", {"name": "Wider", "scopes": ALL, **changes})) == (403, "key_too_wide")
    assert refusal(maker.post(f"/api-keys/{wide}/rotate", {})) == (403, "key_too_wide")
    inherits = made(maker, scopes=["read"])
    assert (inherits["expires_at"], inherits["allowed_addresses"]) == (end, ["127.0.0.0/16"])
    assert made(maker, allowed_addresses=["127.0.0.7"])["allowed_addresses"] == ["127.0.0.7/32"]
    for scopes in (["read", "trade"], ["cancel"]):
        some = with_key(venue, made(broker, scopes=scopes), broker)
        assert refusal(some.post("/api-keys", {"name": "More", "scopes": scopes})) == (403, "scope_missing")
        assert refusal(some.delete(f"/api-keys/{wide}")) == (403, "scope_missing")
        assert refusal(some.post(f"/api-keys/{wide}/rotate", {})) == (403, "scope_missing")


def test_a_key_that_was_revoked_a_moment_ago_makes_no_other(database_url: str, redis_url: str) -> None:
    venue = Venue(settings_for(database_url, redis_url, web={"key_cache_ms": 5_000}))
    broker = venue.broker()
    broker.get("/balance")
    venue.run("UPDATE api_keys SET revoked_at = now() WHERE broker_id = :id", id=broker.broker_id)
    assert broker.call("GET", "/balance").status_code == 200  # still believed
    assert refusal(broker.post("/api-keys", {"name": "Heir", "scopes": ALL})) == (401, "key_revoked")
    assert venue.scalar("SELECT count(*) FROM api_keys WHERE broker_id = :id", id=broker.broker_id) == 1
    venue.close()


def test_a_key_whose_end_came_nearer_a_moment_ago_makes_none_that_lasts_longer(
    database_url: str, redis_url: str
) -> None:
    venue = Venue(settings_for(database_url, redis_url, web={"key_cache_ms": 5_000}))
    broker = venue.broker()
    broker.get("/balance")
    venue.run("UPDATE api_keys SET expires_at = now() + interval '1 hour' WHERE broker_id = :id", id=broker.broker_id)
    assert refusal(broker.post("/api-keys", {"name": "Heir", "scopes": ALL})) == (403, "key_too_wide")
    venue.run("UPDATE api_keys SET expires_at = now() WHERE broker_id = :id", id=broker.broker_id)
    assert refusal(broker.post("/api-keys", {"name": "Heir", "scopes": ALL})) == (401, "key_expired")
    venue.close()


def test_a_broker_has_so_many_keys_and_no_more(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_keys, "MOST_KEYS", 3)
    broker = venue.broker()
    one = made(broker)
    made(broker)
    answer = broker.post("/api-keys", {"name": "More", "scopes": ALL})
    assert (refusal(answer), answer.json["limit"]) == ((422, "too_many_keys"), 3)
    assert refusal(broker.post(f"/api-keys/{one['key_id']}/rotate", {"overlap_seconds": 9})) == (422, "too_many_keys")
    assert broker.post(f"/api-keys/{one['key_id']}/rotate", {}).status_code == 201
    assert broker.delete(f"/api-keys/{broker.get('/api-keys')['items'][0]['key_id']}").status_code == 204
    made(broker)


@pytest.mark.parametrize(
    ("allowed", "address", "is_let_in"),
    [
        (["10.0.0.5"], "10.0.0.5", True), (["10.0.0.5"], "::ffff:10.0.0.5", True), (["10.0.0.5"], "10.0.0.6", False),
        (["10.0.0.5"], "", False), (["10.0.0.5"], "unknown", False), (["::ffff:10.0.0.5"], "10.0.0.5", True),
        (["2001:db8::/32"], "2001:db8:7::1", True), (["2001:db8::/32"], "10.0.0.5", False),
        (["::/0"], "10.0.0.5", False), (["0.0.0.0/0"], "2001:db8::1", False), (None, "", True),
    ],
)  # fmt: skip
def test_a_key_is_good_from_its_addresses_alone(
    venue: Venue, allowed: list[str] | None, address: str, is_let_in: bool
) -> None:
    broker = venue.broker()
    bot = with_key(venue, made(broker, allowed_addresses=allowed), broker)
    headers = {"Authorization": f"Bearer {bot.key}", "X-Forwarded-For": "10.0.0.5"}
    answer = venue.app.test_client().get("/api/v1/balance", headers=headers, environ_overrides={"REMOTE_ADDR": address})
    assert (answer.status_code == 200) is is_let_in
    if not is_let_in:
        assert refusal(answer) == (403, "address_not_allowed")


def test_a_suspended_broker_looks_at_its_keys_and_revokes_them_but_makes_none(venue: Venue) -> None:
    broker = venue.broker()
    key = made(broker)
    venue.admin.post(f"/brokers/{broker.broker_id}/suspend")
    assert refusal(broker.post("/api-keys", {"name": "Bot", "scopes": ALL})) == (403, "broker_suspended")
    assert refusal(broker.post(f"/api-keys/{key['key_id']}/rotate", {})) == (403, "broker_suspended")
    assert len(broker.get("/api-keys")["items"]) == 2
    assert broker.delete(f"/api-keys/{key['key_id']}").status_code == 204


def test_the_administrator_replaces_all_keys_of_a_broker(venue: Venue) -> None:
    broker, other = venue.broker(), venue.broker()
    bot = with_key(venue, made(broker), broker)
    assert refusal(broker.post(f"/brokers/{broker.broker_id}/rotate-key")) == (403, "admin_only")
    answer = venue.admin.post(f"/brokers/{broker.broker_id}/rotate-key")
    assert answer.status_code == 200
    assert answer.json["broker_id"] == broker.broker_id
    for old in (broker, bot):
        assert refusal(old.call("GET", "/balance")) == (401, "key_revoked")
    assert Caller(venue, answer.json["api_key"], broker.broker_id).get("/balance")
    assert other.get("/balance")
    assert refusal(venue.admin.post("/brokers/999999/rotate-key")) == (404, "unknown_broker")


def test_it_is_known_when_a_key_was_used_last(venue: Venue) -> None:
    broker = venue.broker()
    bot = with_key(venue, made(broker), broker)
    bot.get("/balance")
    venue.components.keys.write_uses()
    used, first = (item["last_used_at"] for item in broker.get("/api-keys")["items"])
    assert used is not None
    assert first is not None
    broker.delete(f"/api-keys/{broker.get('/api-keys')['items'][0]['key_id']}")
    assert bot.call("GET", "/balance").status_code == 401  # no use of it
    venue.components.keys.write_uses()
    assert broker.get("/api-keys")["items"][0]["last_used_at"] == used


def test_revoked_keys_are_tries_like_unknown_ones(database_url: str, redis_url: str) -> None:
    venue = Venue(settings_for(database_url, redis_url, limits={"failures_per_minute": 3}))
    broker = venue.broker()
    key = made(broker)
    broker.delete(f"/api-keys/{key['key_id']}")
    bot = with_key(venue, key, broker)
    assert [bot.call("GET", "/balance").status_code for _ in range(4)] == [401, 401, 401, 429]
    venue.close()
