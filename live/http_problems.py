"""What a Socket.IO process answers to HTTP that it does not take: problems (RFC 9457), as REST has them."""

from http import HTTPStatus
from typing import Any

from serving.raw_answers import raw_answer

DETAILS = {
    "websocket_only": (
        400,
        "Socket.IO is served over WebSocket only.",
        "Connect with transports: ['websocket'], without polling first.",
    ),
    "body_too_slow": (408, "The request came too slowly.", "It has to be here as a whole within a few seconds."),
    "headers_too_large": (431, "The headers are too large.", "All of them together have at most 32 KB."),
    "busy": (503, "The exchange is busy.", "All connections are taken. Try again."),
}
"""By code: status, title, and how to go on."""


def problem(code: str) -> dict[str, Any]:
    """The document of a problem."""
    status, title, detail = DETAILS[code]
    return {"type": f"/docs/errors#{code}", "title": title, "status": status, "code": code, "detail": detail}


def too_slow() -> bytes:
    """To a request that did not arrive in time."""
    return raw_answer(problem("body_too_slow"), {})


def head_too_large() -> bytes:
    """To a request whose head has more bytes than any needs."""
    return raw_answer(problem("headers_too_large"), {})


def all_taken() -> bytes:
    """To a connection for which there is no place."""
    return raw_answer(problem("busy"), {"Retry-After": "1"})


def ended(method: str) -> bytes:
    """To a request that was ended because its worker stops: whatever its method, it only read."""
    return all_taken()


def of_status(status: int) -> bytes:
    """To what is no HTTP."""
    found = HTTPStatus(status)
    return raw_answer({"type": "about:blank", "title": found.phrase, "status": status}, {})
