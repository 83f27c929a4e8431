"""Why a client is not let in: the CONNECT_ERROR that says so, as `{message, data: {code, …}}`.

The codes are those of REST where REST has the same refusal.
"""

from typing import Any

from flask_socketio import ConnectionRefusedError

from services.identity.errors import AddressNotAllowed, KeyExpired, KeyRevoked, SessionEnded, TokenExpired

MALFORMED_PACKET = "malformed_packet"
UNUSABLE_AUTH = "unusable_auth"
UNKNOWN_NAMESPACE = "unknown_namespace"
ALREADY_CONNECTED = "already_connected"
UNAUTHENTICATED = "unauthenticated"
KEY_REVOKED = "key_revoked"
KEY_EXPIRED = "key_expired"
TOKEN_EXPIRED = "token_expired"  # noqa: S105
SESSION_ENDED = "session_ended"
ROLE_CHANGED = "role_changed"
NO_TOKEN = "no_token"  # noqa: S105
ANOTHER_PERSON = "another_person"
ADDRESS_NOT_ALLOWED = "address_not_allowed"
SCOPE_MISSING = "scope_missing"
BROKER_ONLY = "broker_only"
TOO_MANY_REQUESTS = "too_many_requests"
BUSY = "busy"
INTERNAL_ERROR = "internal_error"

SENTENCES = {
    MALFORMED_PACKET: "This is no Socket.IO CONNECT packet: its payload is not JSON.",
    UNUSABLE_AUTH: 'Give the key as auth: {"token": "…"} or {"api_key": "…"}; for public data give no auth at all.',
    UNKNOWN_NAMESPACE: "There is only one namespace: /.",
    ALREADY_CONNECTED: "This connection is in the namespace / already.",
    UNAUTHENTICATED: "This API key or access token is not known.",
    KEY_REVOKED: KeyRevoked.message(),
    KEY_EXPIRED: KeyExpired.message(),
    TOKEN_EXPIRED: TokenExpired.message(),
    SESSION_ENDED: SessionEnded.message(),
    ROLE_CHANGED: "This person has another role, or another broker: connect again.",
    NO_TOKEN: "Only a connection that was opened with an access token can be renewed by one.",
    ANOTHER_PERSON: "This access token is another person's: connect anew with it.",
    ADDRESS_NOT_ALLOWED: AddressNotAllowed.message(),
    SCOPE_MISSING: "This API key lacks the scope read; for public data give no auth at all.",
    BROKER_ONLY: "This key is the administrator's, who has no events of his own; for public data give no auth at all.",
    TOO_MANY_REQUESTS: "Too many unknown keys came from this address; retry_after says in how many seconds to go on.",
    BUSY: "The exchange's database is away or overloaded. Try again.",
    INTERNAL_ERROR: "Something went wrong in the exchange; it has been logged.",
}


def connect_error(code: str, **facts: Any) -> dict[str, Any]:
    """The payload of a CONNECT_ERROR."""
    return {"message": SENTENCES[code], "data": {"code": code, **facts}}


def refused(code: str, **facts: Any) -> Exception:
    """To be raised while a client connects: it is answered with `connect_error` and not let in."""
    error: Exception = ConnectionRefusedError(SENTENCES[code], {"code": code, **facts})
    return error


def event_error(code: str) -> dict[str, str]:
    """The acknowledgement of an event that failed."""
    return {"error": SENTENCES[code], "code": code}
