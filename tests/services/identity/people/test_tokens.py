"""Given tokens of all kinds, then only those that we have signed, for what they are used for, are believed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest

from services.identity.errors import TokenExpired
from services.identity.people.tokens import ACCESS, LONGEST, REFRESH, RefreshToken, Tokens, is_possible_token, new_csrf

SECRET, OTHER = "s" * 31 + "1", "o" * 31 + "2"
NOW = datetime.now(UTC)
LIFE = 9_000
"""Seconds: longer than all the tests may take."""
GOOD: dict[str, Any] = {"aud": ACCESS, "sub": "7", "sid": 11, "exp": NOW + timedelta(days=1)}


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(SECRET, "", LIFE)


def signed(claims: dict[str, Any], secret: str = SECRET, algorithm: str = "HS256", **header: str) -> str:
    return jwt.encode(claims, secret, algorithm, headers=header)


def test_what_is_signed_is_read(tokens: Tokens) -> None:
    access = tokens.access(11, 7, NOW)
    found = tokens.read_access(access)
    assert found is not None
    assert (found.session_id, found.user_id) == (11, 7)
    assert abs((found.expires_at - NOW).total_seconds() - LIFE) < 1
    refresh = RefreshToken(11, uuid4(), new_csrf())
    assert tokens.read_refresh(tokens.refresh(refresh, NOW + timedelta(days=1))) == refresh
    assert is_possible_token(access)
    assert len(access) < LONGEST // 2
    assert not is_possible_token("mx_key")


def test_neither_is_taken_for_the_other(tokens: Tokens) -> None:
    access = tokens.access(11, 7, NOW)
    refresh = tokens.refresh(RefreshToken(11, uuid4(), "x"), NOW + timedelta(days=1))
    assert tokens.read_access(refresh) is None
    assert tokens.read_refresh(access) is None
    assert tokens.read_access(signed({**GOOD, "aud": [ACCESS, REFRESH]})) is not None  # ours, if we ever signed it


def test_without_our_signature_nothing_is_believed(tokens: Tokens) -> None:
    good = signed(GOOD)
    head, body, signature = good.split(".")
    unsigned = jwt.encode(GOOD, None, "none")
    forged = [
        signed(GOOD, OTHER), unsigned, f"{head}.{body}.", f"{unsigned.split('.')[0]}.{body}.{signature}",
        signed(GOOD, SECRET * 2, "HS512"), signed(GOOD, SECRET * 2, "HS384"),
        f"{head}.{signed({**GOOD, 'sub': '1'}).split('.')[1]}.{signature}",
        good[:-2], good + "A", f"{good}.{body}", "", "eyJ..", "eyJhbGciOiJIUzI1NiJ9.e30.", "x" * 5_000,
    ]  # fmt: skip
    assert tokens.read_access(good) is not None
    for token in forged:
        assert tokens.read_access(token) is None, token


@pytest.mark.parametrize("missing", ["aud", "sub", "sid", "exp"])
def test_what_lacks_something_is_not_believed(tokens: Tokens, missing: str) -> None:
    claims = {name: value for name, value in GOOD.items() if name != missing}
    assert tokens.read_access(signed(claims)) is None


def test_an_expired_token_says_so_only_where_it_was_ours(tokens: Tokens) -> None:
    claims = {**GOOD, "exp": NOW - timedelta(seconds=1)}
    with pytest.raises(TokenExpired):
        tokens.read_access(signed(claims))
    assert tokens.read_access(signed(claims, OTHER)) is None


def test_a_secret_is_replaced_without_logging_anybody_out() -> None:
    old = Tokens(SECRET, "", LIFE)
    access = old.access(11, 7, NOW)
    both, only_new = Tokens(OTHER, SECRET, LIFE), Tokens(OTHER, "", LIFE)
    assert both.read_access(access) is not None
    assert only_new.read_access(access) is None
    assert old.read_access(both.access(11, 7, NOW)) is None, "the new one signs"


def test_without_a_secret_nothing_is_signed_or_believed() -> None:
    nobody = Tokens("", "", LIFE)
    assert not nobody.can_sign
    assert nobody.read_access(jwt.encode(GOOD, None, "none")) is None
    assert nobody.read_refresh(Tokens(SECRET, "", 1).refresh(RefreshToken(1, UUID(int=1), ""), NOW)) is None
