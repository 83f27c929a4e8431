"""Tokens of people: what they say, signed (JWT, HS256, by PyJWT). The only place that makes and reads them.

An access token says which session it is of, and is looked up like a key; a refresh token is one of a family, of which
one at a time is good (`services.identity.people.sessions`).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import jwt

from services.identity.errors import TokenExpired

ALGORITHM: Final = "HS256"
"""The only one that is believed, whatever a token says of itself."""

ACCESS, REFRESH = "minex:access", "minex:refresh"
"""Whom a token is for, so that neither is taken for the other."""

CLAIMS: Final = {ACCESS: ["exp", "aud", "sub", "sid"], REFRESH: ["exp", "aud", "sid", "jti", "csrf"]}
"""What each must have."""

LONGEST: Final = 1_024
"""Characters. Ours have about 300."""

BEGINNING: Final = "eyJ"
"""Of a header in JSON, as a JWT has it; our keys have no dots."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What an access token says."""

    session_id: int
    user_id: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What a refresh token says: of which session it is, which one of it, and what goes with it in a header."""

    session_id: int
    token_id: UUID
    csrf: str


class Tokens:
    """Signs with one secret, and believes what was signed with that or the one before it."""

    def __init__(self, secret: str, previous: str, access_seconds: int) -> None:
        """`access_seconds`: how long an access token is good."""
        self.access_seconds = access_seconds
        self._secret = secret
        self._believed = [one for one in (secret, previous) if one]

    @property
    def can_sign(self) -> bool:
        """False without a secret."""
        return bool(self._secret)

    def access(self, session_id: int, user_id: int, now: datetime) -> str:
        """A new access token of this session."""
        ends = now + timedelta(seconds=self.access_seconds)
        return self._signed({"aud": ACCESS, "sub": str(user_id), "sid": session_id, "exp": ends})

    def refresh(self, token: RefreshToken, expires_at: datetime) -> str:
        """A refresh token; it is good once, and until its session is over."""
        claims = {"sid": token.session_id, "jti": token.token_id.hex, "csrf": token.csrf}
        return self._signed({"aud": REFRESH, "exp": expires_at, **claims})

    def read_access(self, token: str) -> AccessToken | None:
        """What it says; None for what is none of ours. Raises TokenExpired."""
        found = self._read(token, ACCESS)
        if found is None:
            return None
        return AccessToken(found["sid"], int(found["sub"]), datetime.fromtimestamp(found["exp"], UTC))

    def read_refresh(self, token: str) -> RefreshToken | None:
        """What it says; None for what is none of ours. Raises TokenExpired."""
        found = self._read(token, REFRESH)
        return None if found is None else RefreshToken(found["sid"], UUID(found["jti"]), found["csrf"])

    def _signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode(claims, self._secret, ALGORITHM)

    def _read(self, token: str, audience: str) -> dict[str, Any] | None:
        if not is_possible_token(token):
            return None
        for secret in self._believed:
            try:
                return jwt.decode(token, secret, [ALGORITHM], audience=audience, options={"require": CLAIMS[audience]})
            except jwt.InvalidSignatureError:
                continue
            except jwt.ExpiredSignatureError as expired:
                raise TokenExpired from expired
            except jwt.InvalidTokenError:
                return None
        return None


def is_possible_token(credential: str) -> bool:
    """True if it has the form of a token: it may be one of ours, and is no key."""
    return credential.startswith(BEGINNING) and credential.count(".") == 2 and len(credential) <= LONGEST


def new_csrf() -> str:
    """What a page has to say with a refresh token, so that no other page can use it."""
    return secrets.token_urlsafe(24)
