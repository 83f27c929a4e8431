"""Given acts that an operator may have to explain, then the log has a line of each, with who and from where."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.api.browser import Browser
from tests.api.venue import Caller, Venue


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.INFO):
        yield


def said(caplog: pytest.LogCaptureFixture, words: str) -> list[str]:
    return [record.getMessage() for record in caplog.records if words in record.getMessage()]


def test_a_broker_is_registered_suspended_and_let_in_again(venue: Venue, caplog: pytest.LogCaptureFixture) -> None:
    registered = venue.admin.post(
        "/register", {"name": "A name for nobody's log", "webhook_url": "https://nobodys.log.example/"}
    ).json
    broker_id = registered["broker_id"]
    venue.admin.post(f"/brokers/{broker_id}/suspend", None)
    venue.admin.post(f"/brokers/{broker_id}/activate", None)
    by = "by the administrator at 127.0.0.1"
    assert said(caplog, f"broker {broker_id} ") == [
        f"broker {broker_id} was registered {by}",
        f"broker {broker_id} was suspended {by}, 0 orders are cancelled",
        f"broker {broker_id} was let in again {by}",
    ]
    assert registered["api_key"] not in caplog.text
    assert registered["webhook_secret"] not in caplog.text
    assert "nobodys.log" not in caplog.text


def test_a_refused_key_and_never_the_key(venue: Venue, caplog: pytest.LogCaptureFixture) -> None:
    unknown = "mx_canary_of_somebody_who_guesses"
    assert Caller(venue, unknown).call("GET", "/balance").status_code == 401
    assert len(said(caplog, "unknown keys were refused: 1 from 127.0.0.1")) == 1
    assert unknown not in caplog.text


def test_a_trading_state_who_asked_and_when_it_is_so(venue: Venue, caplog: pytest.LogCaptureFixture) -> None:
    stock = venue.list()
    with venue.matching():
        assert venue.admin.post(f"/stocks/{stock}/state", {"state": "halted", "reason": "news"}).status_code == 200
    assert said(caplog, stock) == [
        f"state halted of {stock} was asked for by the administrator at 127.0.0.1",
        f"{stock} is halted now: news",
    ]


def test_a_reset(venue: Venue, caplog: pytest.LogCaptureFixture) -> None:
    assert venue.admin.post("/debug/reset", None).status_code == 204
    assert said(caplog, "was reset") == ["the exchange was reset by the administrator at 127.0.0.1"]


def test_what_people_do_and_none_of_their_secrets(venue: Venue, caplog: pytest.LogCaptureFixture) -> None:
    canary, other = "canary of a password in a mine", "canary of another one in a mine"
    browser = Browser(venue)
    browser.post("/signup", {"username": "canary", "password": canary})
    browser.post("/signup", {"username": "canary2", "password": "canary-short"[:11]})
    browser.post("/token", {"username": "canary", "password": f"{canary} wrong"})
    browser.post("/token", {"username": "canary", "password": canary, "unknown": canary})
    me = browser.taken(browser.post("/token", {"username": "canary", "password": canary}), Caller(venue, None))
    secrets = [canary, other, "canary-short"[:11], str(me.key), browser.csrf, browser.refresh_cookie]
    me.put("/me/password", {"current_password": f"{canary} wrong", "new_password": other})
    me.put("/me/password", {"current_password": canary, "new_password": other})
    me = browser.taken(browser.post("/token/refresh"), me)
    secrets += [str(me.key), browser.csrf, browser.refresh_cookie]
    browser.post("/token/refresh", csrf="canary-word")
    Caller(venue, f"{me.key}x").call("GET", "/me")
    me.call("GET", f"/orders?token={me.key}")
    user_id = me.get("/me")["user_id"]
    venue.admin.put(f"/users/{user_id}", {"password": canary})
    browser.post("/logout")
    written = "\n".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "the password was changed of trader canary at 127.0.0.1" in written
    assert not [secret for secret in (*secrets, "canary-word") if secret in written]
