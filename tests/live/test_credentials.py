"""The key in `auth`, and what is refused instead of being overlooked."""

import pytest
from flask_socketio import ConnectionRefusedError

from live.credentials import key_of
from live.refusals import SENTENCES


@pytest.mark.parametrize("member", ["token", "api_key"])
def test_a_key_has_two_names(member):
    assert key_of({member: "mx_1"}, {}) == "mx_1"


@pytest.mark.parametrize("auth", [None, {}])
def test_no_key_is_no_mistake(auth):
    assert key_of(auth, {"QUERY_STRING": "EIO=4&transport=websocket&t=1"}) is None


@pytest.mark.parametrize(
    ("auth", "environ", "code"),
    [
        ({"apiKey": "mx_1"}, {}, "unusable_auth"),
        ({"token": "mx_1", "api_key": "mx_1"}, {}, "unusable_auth"),
        ({"token": ""}, {}, "unusable_auth"),
        ({"token": 42}, {}, "unusable_auth"),
        ("mx_1", {}, "unusable_auth"),
        (["mx_1"], {}, "unusable_auth"),
        (None, {"HTTP_AUTHORIZATION": "Bearer mx_1"}, "unusable_auth"),
        ({}, {"QUERY_STRING": "EIO=4&API_KEY"}, "unusable_auth"),
        ({"token": "\ud800"}, {}, "unauthenticated"),
        ({"token": "x" * 257}, {}, "unauthenticated"),
    ],
)
def test_what_cannot_be_used_is_refused(auth, environ, code):
    with pytest.raises(ConnectionRefusedError) as refused:
        key_of(auth, environ)
    assert refused.value.error_args == {"message": SENTENCES[code], "data": {"code": code}}


def test_every_refusal_is_a_sentence():
    assert all(sentence.endswith(".") for sentence in SENTENCES.values())
