"""Given a message, then it is verified by its own secret, as it came, and by nothing else."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook

from services.webhooks.signing import ID, SIGNATURE, TIMESTAMP, WrongSignature, new_secret, signature_headers, verify

SECRET, OTHER = new_secret(), new_secret()
BODY = '{"symbol":"PETR4","name":"Ação"}'.encode()


def headers(*secrets, at=None):
    return signature_headers(secrets or (SECRET,), "17", at or datetime.now(UTC), BODY)


def test_a_secret_is_as_the_standard_wants_it():
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", SECRET)
    assert SECRET != OTHER


def test_the_library_of_the_standard_agrees():
    assert Webhook(SECRET).verify(BODY, headers())["symbol"] == "PETR4"


def test_the_standards_own_example():
    found = signature_headers(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], "msg_p5jXN8AQM9LWM0D4loKWxJek",
        datetime.fromtimestamp(1614265330, UTC), b'{"test": 2432232314}',
    )  # fmt: skip
    assert found[SIGNATURE] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert (found[ID], found[TIMESTAMP]) == ("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330")


def test_two_secrets_sign_twice_and_either_is_enough():
    both = headers(OTHER, SECRET)
    assert both[SIGNATURE].count("v1,") == 2
    verify(SECRET, both, BODY)
    verify(OTHER, both, BODY)
    verify(SECRET, {**both, SIGNATURE: f"v1a,xx v1,no* {both[SIGNATURE]}"}, BODY)


@pytest.mark.parametrize("name", [ID, TIMESTAMP, SIGNATURE])
def test_a_header_that_is_missing(name):
    with pytest.raises(WrongSignature):
        verify(SECRET, {key: value for key, value in headers().items() if key != name}, BODY)


@pytest.mark.parametrize("value", ["v1,é", "v1", "", "v1,", "v1,=", "v2,abcd", "v1,abcd", " ", ",", "v1,a,b", "\x00"])
def test_a_signature_that_is_none(value):
    with pytest.raises(WrongSignature):
        verify(SECRET, {**headers(), SIGNATURE: value}, BODY)


@pytest.mark.parametrize("value", ["abc", "-1", "", "1e9", "nan", "9" * 40, "1.5", "١٢"])
def test_a_timestamp_that_is_none(value):
    with pytest.raises(WrongSignature):
        verify(SECRET, {**headers(), TIMESTAMP: value}, BODY)


@pytest.mark.parametrize("away", [timedelta(hours=1), timedelta(minutes=-6), timedelta(minutes=6)])
def test_a_message_of_another_time(away):
    with pytest.raises(WrongSignature):
        verify(SECRET, headers(at=datetime.now(UTC) + away), BODY)


def test_another_secret_body_or_id():
    for change in ({"key": OTHER}, {"body": BODY + b" "}, {"body": b"\xff"}):
        with pytest.raises(WrongSignature):
            verify(change.get("key", SECRET), headers(), change.get("body", BODY))
    with pytest.raises(WrongSignature):
        verify(SECRET, {**headers(), ID: "18"}, BODY)


def test_headers_are_found_in_any_case():
    verify(SECRET, {name.title(): value for name, value in headers().items()}, BODY)
