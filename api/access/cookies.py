"""The two cookies of a person who is logged in: the refresh token, and what its page repeats in a header."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from werkzeug.http import dump_cookie, parse_cookie

from api.components import components
from api.http.calls import Environ, present
from api.http.problems import CsrfMissing, CsrfWrong, Unauthenticated
from services.identity.people.tokens import RefreshToken
from settings.admin_key import is_loopback

REFRESH: Final = "minex_refresh"
CSRF: Final = "minex_csrf"
PATH: Final = "/api/v1"
HEADER: Final = "HTTP_X_CSRF_TOKEN"


def refresh_token_of_request() -> RefreshToken:
    """The refresh token of the present request, which is not used up by being looked at.

    Raises Unauthenticated and TokenExpired; CsrfMissing and CsrfWrong unless its page says the word that goes with it.
    """
    environ = present().environ
    cookie = parse_cookie(environ.get("HTTP_COOKIE", "")).get(REFRESH)
    token = components().tokens.read_refresh(cookie) if cookie else None
    if token is None:
        raise Unauthenticated(f"A valid refresh token is needed, in the cookie {REFRESH}: log in.")
    word = environ.get(HEADER)
    if not word:
        raise CsrfMissing
    if not hmac.compare_digest(word.encode("latin-1", "replace"), token.csrf.encode()):
        raise CsrfWrong
    return token


def cookies_with(token: RefreshToken, now: datetime, expires_at: datetime) -> list[str]:
    """As Set-Cookie has them, for as long as the session lasts. Only pages of our own send them."""
    signed = components().tokens.refresh(token, expires_at)
    return _cookies(signed, token.csrf, int((expires_at - now).total_seconds()))


def no_cookies() -> list[str]:
    """As Set-Cookie takes them away."""
    return _cookies("", "", 0)


def _cookies(token: str, csrf: str, seconds: int) -> list[str]:
    secure = is_secure(present().environ)
    return [
        dump_cookie(REFRESH, token, max_age=seconds, path=PATH, secure=secure, httponly=True, samesite="Strict"),
        dump_cookie(CSRF, csrf, max_age=seconds, path="/", secure=secure, samesite="Strict"),
    ]


def is_secure(environ: Environ) -> bool:
    """Whether cookies may come back over TLS only: in public, and wherever the browser has not asked this machine."""
    if components().settings.exchange.public:
        return True
    try:
        host = urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname
    except ValueError:
        return True
    return host is None or not is_loopback(host)
