"""Who may connect, and who has to leave."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import request
from flask_socketio import ConnectionRefusedError, SocketIO
from sqlalchemy.exc import SQLAlchemyError
from structlog.contextvars import bind_contextvars
from wsproto.frame_protocol import CloseReason

from live.credentials import key_of
from live.feeds.loading import Loading
from live.listeners import SocketListeners
from live.members import Members
from live.packets import NAMESPACE
from live.refusals import (
    BUSY,
    INTERNAL_ERROR,
    KEY_EXPIRED,
    KEY_REVOKED,
    ROLE_CHANGED,
    SESSION_ENDED,
    TOKEN_EXPIRED,
    UNAUTHENTICATED,
    UNUSABLE_AUTH,
    event_error,
    refused,
)
from live.sockets.web_socket import WebSocket
from live.streams.serving import Streams
from services.timestamps import timestamp
from serving.present import charge_to

log = logging.getLogger(__name__)

UNVERIFIED = "key_unverified"
FAREWELLS = {
    KEY_REVOKED: (CloseReason.POLICY_VIOLATION, "The API key was revoked."),
    KEY_EXPIRED: (CloseReason.POLICY_VIOLATION, "The time of the API key is over."),
    TOKEN_EXPIRED: (CloseReason.POLICY_VIOLATION, "The time of the access token is over."),
    SESSION_ENDED: (CloseReason.POLICY_VIOLATION, "The session has ended."),
    ROLE_CHANGED: (CloseReason.POLICY_VIOLATION, "The person has another role or broker."),
    UNVERIFIED: (CloseReason.TRY_AGAIN_LATER, "The API key cannot be verified just now."),
}
"""By the code of CLOSED."""


class Connections:
    """The connections of one Socket.IO server."""

    def __init__(
        self,
        sockets: SocketIO,
        members: Members,
        open_sockets: Mapping[str, WebSocket],
        loading: Loading,
        listeners: SocketListeners,
        streams: Streams,
        *,
        is_public: bool,
    ) -> None:
        """`is_public`: whether somebody without a key may connect."""
        self._server = sockets.server
        self._members = members
        self._open_sockets = open_sockets
        self._loading = loading
        self._listeners = listeners
        self._streams = streams
        self._is_public = is_public
        sockets.on_event("connect", self._enter)
        sockets.on_event("disconnect", self._leave)
        sockets.on_event("authenticate", self._renew)
        sockets.on_error_default(answer_error)

    def revoke(self) -> None:
        """Close the sockets of keys and sessions that are no longer good. Raises what the database raises."""
        self._members.revoke(self._close)

    def end_expired(self) -> None:
        """Warn those whose access token ends soon, and close the sockets of those whose token has ended."""
        self._members.end_expired(self._warn, self._close)

    def fail_closed(self) -> None:
        """Close the sockets of keys of which it is not known any more whether they are valid."""
        self._members.fail_closed(functools.partial(self._close, UNVERIFIED))

    # Without a default for `auth`: after a TypeError the library tries again with nothing, which would be a way in.
    def _enter(self, auth: Any) -> None:
        bind_contextvars(sid=socket_id())  # until its packet is handled, see `Reception`
        key = key_of(auth, request.environ)
        if key is None:
            if not self._is_public:
                raise refused(UNAUTHENTICATED)
            return
        who = self._members.identify(key, request.remote_addr or "")
        feed = None
        if who.broker_id is not None:
            charge_to(request.environ, who.broker_id)
            feed = self._loading.load_account(who.broker_id)
        self._members.enter(socket_id(), who)  # nothing waits from here to the answer, so nothing is told before it
        listener = self._listeners.of(socket_id())
        if feed is not None and listener is not None:
            feed.join(listener)

    def _renew(self, *arguments: Any) -> dict[str, Any]:
        """Let the socket stay until another access token of the same person ends."""
        try:
            token = key_of(*arguments, {}) if len(arguments) == 1 else None
            if token is None:
                raise refused(UNUSABLE_AUTH)
            ends = self._members.renew(socket_id(), token, request.remote_addr or "")
        except ConnectionRefusedError as refusal:
            said = refusal.error_args
            return {"error": said["message"], **said["data"]}
        return {"expires_at": timestamp(ends)}

    def _warn(self, ends: datetime, socket_id: str) -> None:
        if socket_id in self._streams:
            self._streams.tell(socket_id, "SESSION_ENDING", {"at": timestamp(ends)})
            return
        self._server.emit("SESSION_ENDING", {"at": timestamp(ends)}, to=socket_id)

    def _leave(self, *_: Any) -> None:
        self._members.leave(socket_id())
        self._listeners.forget(socket_id())

    def _close(self, code: str, socket_id: str) -> None:
        if socket_id in self._streams:
            self._streams.end(socket_id, code)
            return
        session_id = self._server.manager.eio_sid_from_sid(socket_id, NAMESPACE)
        try:
            self._server.emit("CLOSED", {"code": code}, to=socket_id)
            self._server.disconnect(socket_id)
        finally:
            web_socket = self._open_sockets.get(session_id)
            if web_socket is not None:
                web_socket.end(FAREWELLS[code])


def answer_error(error: Exception) -> dict[str, str]:
    """The acknowledgement of an event whose handling failed; a connection is refused instead, by raising."""
    event: str = request.event["message"]  # type: ignore[attr-defined] # Flask-SocketIO sets it
    if isinstance(error, SQLAlchemyError):
        log.warning("PostgreSQL is away, %r was refused: %s", event, error)
        code = BUSY
    else:
        log.error("%r failed", event, exc_info=error)
        code = INTERNAL_ERROR
    if event == "connect":
        raise refused(code) from error
    return event_error(code)


def socket_id() -> str:
    """The Socket.IO id of the client whose packet is being handled."""
    found: str = request.sid  # type: ignore[attr-defined] # Flask-SocketIO sets it
    return found
