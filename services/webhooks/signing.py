"""Signatures by Standard Webhooks 1.0, with the library of that standard."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from standardwebhooks import Webhook, WebhookVerificationError

SECRET_BYTES: Final = 32
"""256 bits; the standard asks for 24 to 64 bytes."""

BEGINNING: Final = "whsec_"

ID: Final = "webhook-id"
TIMESTAMP: Final = "webhook-timestamp"
SIGNATURE: Final = "webhook-signature"


class WrongSignature(Exception):
    """A message is not signed with this secret, or its headers are missing, malformed or of another time."""


def new_secret() -> str:
    """A secret as the standard writes it: `whsec_` and base64."""
    return f"{BEGINNING}{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def is_secret(text: str) -> bool:
    """Whether it has the form of a secret: 24 to 64 bytes of it."""
    try:
        key = base64.b64decode(text.removeprefix(BEGINNING), validate=True)
    except ValueError:
        return False
    return text.isascii() and text.startswith(BEGINNING) and 24 <= len(key) <= 64


def signature_headers(keys: Sequence[str], message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers of a message; it is signed once with each of the secrets `keys`. `at` is in UTC."""
    text = body.decode()
    signatures = [Webhook(key).sign(message_id, at, text) for key in keys]
    return {ID: message_id, TIMESTAMP: str(int(at.timestamp())), SIGNATURE: " ".join(signatures)}


def verify(key: str, headers: Mapping[str, str], body: bytes) -> None:
    """Raises WrongSignature unless `body`, as it came, has a signature of this secret, not older than five minutes."""
    try:
        Webhook(key).verify(body, _read(headers), json_parse=False)
    except (WebhookVerificationError, ValueError) as error:
        raise WrongSignature(str(error) or "the message is not signed") from error


def _read(headers: Mapping[str, str]) -> dict[str, Any]:
    """The headers with those signatures alone that the library can read: it stops at the first that is none."""
    found = {name.lower(): value for name, value in headers.items()}
    signatures = [part for part in found.get(SIGNATURE, "").split(" ") if _is_signature(part)]
    if not found.get(TIMESTAMP, "").isdecimal():
        raise WrongSignature("the timestamp is no number of seconds")
    return {**found, SIGNATURE: " ".join(signatures)}


def _is_signature(part: str) -> bool:
    """Whether it has the form `v1,<base64>`, of whatever version."""
    _, comma, signature = part.partition(",")
    try:
        base64.b64decode(signature, validate=True)
    except ValueError:
        return False
    return bool(comma) and part.isascii()
