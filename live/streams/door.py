"""The door of the event stream: `GET /api/v1/stream`, in front of the Socket.IO application.

Who may come in is decided as at the sockets, and answered as over REST.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
from flask_socketio import ConnectionRefusedError
from sqlalchemy.exc import SQLAlchemyError

from live.channels import ACCOUNT, Channel, sorted_out
from live.members import Members
from live.refusals import (
    ADDRESS_NOT_ALLOWED,
    BROKER_ONLY,
    BUSY,
    SCOPE_MISSING,
    SENTENCES,
    TOO_MANY_REQUESTS,
    UNAUTHENTICATED,
    refused,
)
from live.streams.refusing import Refused, refusal
from live.streams.serving import Wanted
from services.identity.api_keys import is_possible
from services.identity.people.tokens import is_possible_token
from serving.raw_answers import MIMETYPE

PATH: Final = "/api/v1/stream"
MOST_CHANNELS: Final = 200

ALLOWED_HEADERS: Final = "Authorization, Last-Event-ID, Cache-Control"
KEPT_SECONDS: Final = "600"
"""How long a browser may remember what it is allowed."""

STATUS_OF: Final = {
    ADDRESS_NOT_ALLOWED: 403,
    BROKER_ONLY: 403,
    SCOPE_MISSING: 403,
    TOO_MANY_REQUESTS: 429,
    BUSY: 503,
}
"""Of refusals; all others say that it is not known who calls."""

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class StreamDoor:
    """A WSGI application in front of another one."""

    def __init__(
        self,
        application: Application,
        members: Members,
        serve: Callable[[dict[str, Any], Wanted, str], None],
        origins: Collection[str],
        *,
        is_public: bool,
    ) -> None:
        """`serve` takes a connection over and returns when it has ended; it may raise Refused, before it has begun."""
        self._application = application
        self._members = members
        self._serve = serve
        self._origins = frozenset(origins)
        self._is_public = is_public
        self._numbers = itertools.count(1)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Serve a stream, or answer why not; all other paths are the application's."""
        if environ["PATH_INFO"] != PATH:
            return self._application(environ, start_response)
        headers = self._shared(environ)
        method = environ["REQUEST_METHOD"]
        if method == "OPTIONS":
            start_response("204 No Content", [*headers.items(), *self._allowed()])
            return []
        try:
            if method != "GET":
                raise refusal("method_not_allowed")
            wanted = self._wanted(environ)
            self._enter(environ, wanted, headers)
        except Refused as error:
            return _answer(error, headers, start_response)
        raise StopIteration  # so gunicorn knows that nothing more is to be answered here

    def _enter(self, environ: dict[str, Any], wanted: Wanted, headers: Mapping[str, str]) -> None:
        """Find out who it is, and let him have his stream. Raises Refused."""
        name = f"stream-{next(self._numbers)}"
        credential = _credential_of(environ)
        try:
            if credential is not None:
                who = self._members.identify(credential, environ.get("REMOTE_ADDR", ""))
                wanted.broker_id = who.broker_id
                wanted.enter = partial(self._members.enter, name, who)
            elif wanted.has_account or not self._is_public:
                raise refused(UNAUTHENTICATED)
            if wanted.has_account and wanted.broker_id is None:
                raise refused(BROKER_ONLY)
            wanted.headers = headers
            self._serve(environ, wanted, name)
        except ConnectionRefusedError as error:
            raise _refused_as(error.error_args["data"], error.error_args["message"]) from error
        except SQLAlchemyError as error:
            raise _refused_as({"code": BUSY}, SENTENCES[BUSY]) from error
        finally:
            self._members.leave(name)

    def _wanted(self, environ: Mapping[str, Any]) -> Wanted:
        """What the request asks for. Raises Refused."""
        query = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
        given = dict(query)
        errors = {name: ["There is no such parameter."] for name in given if name not in ("channels", "after")}
        if len(given) < len(query):
            errors["channels"] = ["Give each parameter once; channels are separated by commas."]
        names = list(dict.fromkeys(name for name in given.get("channels", "").split(",") if name))
        public, unknown = sorted_out([name for name in names if name != ACCOUNT])
        if not names:
            errors["channels"] = ["Name some: stock:PETR4, book:PETR4, candles:PETR4:1m, prices, account."]
        elif len(names) > MOST_CHANNELS:
            errors["channels"] = [f"At most {MOST_CHANNELS} channels on one stream."]
        elif unknown:
            errors["channels"] = [f"There is no channel {unknown[0]}."]
        if errors:
            raise refusal("invalid_request", errors)
        channels = {channel.room: channel for channel in public} | {ACCOUNT: Channel(ACCOUNT, ACCOUNT)}
        after = environ.get("HTTP_LAST_EVENT_ID", "") or given.get("after", "")
        return Wanted([channels[name] for name in names], after)

    def _shared(self, environ: Mapping[str, Any]) -> dict[str, str]:
        """Headers that every answer has: a page of ours may read it."""
        origin = environ.get("HTTP_ORIGIN", "")
        return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"} if origin in self._origins else {}

    @staticmethod
    def _allowed() -> list[tuple[str, str]]:
        return [
            ("Access-Control-Allow-Methods", "GET"),
            ("Access-Control-Allow-Headers", ALLOWED_HEADERS),
            ("Access-Control-Max-Age", KEPT_SECONDS),
        ]


def _credential_of(environ: Mapping[str, Any]) -> str | None:
    """The key or token in the request's header; None where there is no header. Raises Refused."""
    header = environ.get("HTTP_AUTHORIZATION")
    if header is None:
        return None
    scheme, _, credential = header.partition(" ")
    credential = credential.strip()
    if scheme.lower() != "bearer" or not (is_possible(credential) or is_possible_token(credential)):
        raise _refused_as({"code": UNAUTHENTICATED}, SENTENCES[UNAUTHENTICATED])
    return str(credential)


def _refused_as(data: Mapping[str, Any], sentence: str) -> Refused:
    """The refusal of a socket, as a problem."""
    code = str(data["code"])
    facts = {name: value for name, value in data.items() if name not in ("code", "retry_after")}
    document = {"type": f"/docs/errors#{code}", "title": code.replace("_", " ").capitalize(), "code": code}
    headers = {"Retry-After": str(data["retry_after"])} if "retry_after" in data else {}
    return Refused({**document, "status": STATUS_OF.get(code, 401), "detail": sentence, **facts}, headers)


def _answer(error: Refused, shared: Mapping[str, str], start_response: Any) -> list[bytes]:
    body = orjson.dumps(error.document)
    headers = {"Content-Type": MIMETYPE, "Content-Length": str(len(body)), "Cache-Control": "no-store"}
    start_response(
        f"{error.status} {HTTPStatus(error.status).phrase}", list({**headers, **shared, **error.headers}.items())
    )
    return [body]
