"""The key or access token with which a client connects.

What is given but cannot be used is refused: nobody is anonymous unaware.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from live.refusals import UNAUTHENTICATED, UNUSABLE_AUTH, refused
from services.identity.api_keys import is_possible
from services.identity.people.tokens import is_possible_token

MEMBERS = ("token", "api_key")
"""Of which `auth` has exactly one."""

HEADERS = ("HTTP_AUTHORIZATION", "HTTP_X_API_KEY")
PARAMETERS = frozenset({"token", "access_token", "api_key", "apikey", "key", "auth"})
"""Of the URL, in lower case. Places where other exchanges look for a key; here it would be overlooked."""


def key_of(auth: object, environ: Mapping[str, Any]) -> str | None:
    """The key or token in `auth`, None for a client that gives none and wants public data only.

    `environ` is the handshake's, as WSGI has it. Raises the refusals `unusable_auth` and `unauthenticated`.
    """
    if auth is None or auth == {}:
        if _has_key_elsewhere(environ):
            raise refused(UNUSABLE_AUTH)
        return None
    if not isinstance(auth, dict) or len(auth) != 1:
        raise refused(UNUSABLE_AUTH)
    ((member, key),) = auth.items()
    if member not in MEMBERS or not isinstance(key, str) or not key:
        raise refused(UNUSABLE_AUTH)
    if not (is_possible(key) or is_possible_token(key)):
        raise refused(UNAUTHENTICATED)
    return key


def _has_key_elsewhere(environ: Mapping[str, Any]) -> bool:
    parameters = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    return any(header in environ for header in HEADERS) or any(name.lower() in PARAMETERS for name in parameters)
