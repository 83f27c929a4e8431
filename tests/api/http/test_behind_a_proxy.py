"""Given a proxy of ours, then keys, guards and logs go by the client's address, and a public exchange says HSTS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.browser import told
from tests.api.venue import Caller, Venue, settings_for

PROXY, CLIENT, OTHER = "10.0.0.7", "198.51.100.1", "198.51.100.2"


@pytest.fixture(scope="module")
def venue(database_url: str, redis_url: str) -> Iterator[Venue]:
    public = {"proxies": ("10.0.0.0/24",), "public": True}
    venue = Venue(settings_for(database_url, redis_url, exchange=public, limits={"failures_per_minute": 3}))
    yield venue
    venue.close()


def ask(caller: Caller, peer: str, forwarded: str, path: str = "/balance") -> tuple[int, str | None]:
    environ = {"REMOTE_ADDR": peer}
    return told(caller.call("GET", path, headers={"X-Forwarded-For": forwarded}, environ_overrides=environ))


def test_a_key_is_good_from_the_clients_address_alone(venue: Venue) -> None:
    broker = venue.broker()
    made = broker.post("/api-keys", {"name": "Bot", "scopes": ["read"], "allowed_addresses": [CLIENT]}).json
    bot = Caller(venue, made["api_key"])
    assert ask(bot, PROXY, CLIENT) == (200, None)
    assert ask(bot, PROXY, f"{CLIENT}, {OTHER}") == (403, "address_not_allowed")
    assert ask(bot, PROXY, "nobody knows") == (403, "address_not_allowed")
    assert ask(bot, OTHER, CLIENT) == (403, "address_not_allowed"), "a stranger claims it"
    assert ask(bot, CLIENT, OTHER) == (200, None)


def test_who_guesses_is_counted_by_his_own_address(venue: Venue) -> None:
    guess = Caller(venue, "mx_guess")
    assert [ask(guess, PROXY, "203.0.113.1")[0] for _ in range(5)] == [401] * 3 + [429] * 2
    assert ask(guess, PROXY, "203.0.113.2")[0] == 401
    rotating = [ask(guess, "203.0.113.3", f"203.0.113.{number}")[0] for number in range(10, 15)]
    assert rotating == [401] * 3 + [429] * 2, "whatever a stranger claims"


def test_in_public_browsers_come_over_tls_only(venue: Venue, database_url: str, redis_url: str) -> None:
    answer = venue.nobody.call("GET", "/time")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"
    person = venue.person()
    cookies = person.log_in().headers.getlist("Set-Cookie")
    assert len(cookies) == 2
    assert all("Secure" in cookie for cookie in cookies)
    other = Venue(settings_for(database_url, redis_url))
    assert "Strict-Transport-Security" not in other.nobody.call("GET", "/time").headers
    other.close()
