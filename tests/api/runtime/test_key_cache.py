"""What a process remembers of keys, and what it must not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from api.runtime import key_cache, remembered
from tests.api.venue import Caller, Venue, settings_for

LONG_MS = 5_000


@pytest.fixture
def venue(database_url: str, redis_url: str) -> Iterator[Venue]:
    venue = Venue(settings_for(database_url, redis_url, web={"key_cache_ms": LONG_MS}))
    yield venue
    venue.close()


def bot_of(broker: Caller) -> tuple[Caller, int]:
    made = broker.post("/api-keys", {"name": "Bot", "scopes": ["read"]}).json
    return Caller(broker.venue, made["api_key"], broker.broker_id), made["key_id"]


def after(look_up: Callable[..., Any], then: Callable[[], object]) -> Callable[..., Any]:
    """The look-up, after whose first answer something happens before anybody sees it."""
    left = [then]

    def slow(*arguments: Any) -> Any:
        found = look_up(*arguments)
        if left:
            left.pop()()
        return found

    return slow


def told(caller: Caller) -> tuple[int, str | None]:
    answer = caller.call("GET", "/balance")
    return answer.status_code, (answer.json or {}).get("code")


def test_a_key_that_is_revoked_while_it_is_looked_up_stays_revoked(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = venue.broker()
    bot, key_id = bot_of(broker)
    broker.get("/balance")  # is remembered, so that it is not what is looked up

    def revoke() -> None:
        assert broker.delete(f"/api-keys/{key_id}").status_code == 204

    monkeypatch.setattr(key_cache, "holder_of", after(key_cache.holder_of, revoke))
    assert told(bot)[0] == 200  # asked before it was revoked
    assert told(bot) == (401, "key_revoked")


def test_a_key_that_is_revoked_while_all_are_looked_up_again_stays_revoked(
    venue: Venue, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = venue.broker()
    bot, key_id = bot_of(broker)
    assert told(bot)[0] == 200

    def revoke() -> None:
        venue.run("UPDATE api_keys SET revoked_at = now() WHERE id = :id", id=key_id)
        venue.components.keys.forget()  # as after every DELETE

    monkeypatch.setattr(key_cache, "holders_of", after(key_cache.holders_of, revoke))
    venue.components.keys.remembered._taken_at -= LONG_MS / 1000
    told(bot)
    assert told(bot) == (401, "key_revoked")


def test_an_answer_that_took_long_is_not_remembered(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> None:
    broker = venue.broker()
    bot, key_id = bot_of(broker)
    broker.get("/balance")
    monkeypatch.setattr(remembered, "SLOW_PART", 0.0)
    assert told(bot)[0] == 200
    venue.run("UPDATE api_keys SET revoked_at = now() WHERE id = :id", id=key_id)  # by another process
    assert told(bot) == (401, "key_revoked")


def test_keys_that_are_guessed_fill_nothing(venue: Venue) -> None:
    before = len(venue.components.keys.remembered._known)
    for number in range(20):
        assert told(Caller(venue, f"mx_guess{number}"))[0] == 401
    assert len(venue.components.keys.remembered._known) == before
