"""What every request and every answer have: an id, limits, and headers that keep browsers from harm."""

import random
import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

from flask import Flask, request

from api.http import calls
from api.http.answers import STATUS_LINES
from api.http.body import body_limit, refuse_chunked, refuse_large
from api.http.calls import Call, Environ, Shared
from api.http.direct_routes import DirectRoutes, View
from api.http.errors import answer_error
from api.http.http_problems import HostMissing
from serving.forwarded import HEADER
from serving.open_connections import network_of
from serving.present import charge_to
from settings.processes import Web

ACCEPTABLE_ID = re.compile(r"[\x21-\x7e]{1,128}")

ALWAYS = [
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
]
IN_PUBLIC = ("Strict-Transport-Security", "max-age=31536000")
"""Where strangers come over TLS: for a year their browsers come in no other way."""

PRIVATE = [
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
]
"""Unless the view says otherwise: what is answered concerns one caller and one moment."""

StartResponse = Callable[..., Any]


def init_app(app: Flask, shared: Shared, routes: DirectRoutes) -> None:
    """Check each request before its view, and complete each answer after it. Direct routes go past `app`."""

    @app.before_request
    def begin() -> None:
        refuse_unreadable(request.environ, shared.web)

    app.wsgi_app = Completed(app.wsgi_app, shared, routes)  # type: ignore[method-assign]


def refuse_unreadable(environ: Environ, web: Web) -> None:
    """Raises HostMissing, LengthRequired and BodyTooLarge, before anything of a body is read."""
    if "HTTP_HOST" not in environ and environ.get("SERVER_PROTOCOL") == "HTTP/1.1":
        raise HostMissing
    refuse_chunked(environ)
    refuse_large(environ, body_limit(environ["PATH_INFO"], web))


class Completed:
    """Gives each request its id, and each answer its headers: on WSGI's plain lists, which costs next to nothing.

    Log entries that are written meanwhile say of which request they are (`logs.SUBJECT`). A connection's next request
    is handled by the same greenlet, so it must not stay that.
    """

    def __init__(self, application: Callable[..., Iterable[bytes]], shared: Shared, routes: DirectRoutes) -> None:
        self._application = application
        self._shared = shared
        self._proxies = shared.proxies
        self._is_behind_proxies = bool(shared.proxies)
        self._view_of = routes.view_of

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        if self._is_behind_proxies and HEADER in environ:
            self._believe(environ)
        call = Call(environ, self._shared, _id_of(environ.get("HTTP_X_REQUEST_ID", "")))
        token = calls.begin(call)
        try:
            found = self._view_of(environ)
            if found is None:
                return self._by_application(call, start_response)
            return self._directly(call, found, start_response)
        finally:
            calls.end(token)

    def _believe(self, environ: Environ) -> None:
        """Let the request be that of the client whom a proxy names, also when turns are given out."""
        self._proxies.tell(environ)
        charge_to(environ, network_of(environ["REMOTE_ADDR"]))

    def _directly(self, call: Call, found: tuple[View, dict[str, Any]], start_response: StartResponse) -> list[bytes]:
        try:
            refuse_unreadable(call.environ, self._shared.web)
            view, arguments = found
            answer = view(**arguments)
        except Exception as error:  # noqa: BLE001 - whatever it is has its answer
            answer = answer_error(error)
        headers = answer.all_headers()
        _complete(call, headers, answer.headers)
        start_response(STATUS_LINES[answer.status], headers)
        return [answer.body]

    def _by_application(self, call: Call, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            _complete(call, headers, [name for name, _ in headers])
            return start_response(status, headers, exc_info)

        return self._application(call.environ, start)


def _complete(call: Call, headers: list[tuple[str, str]], given: Collection[str]) -> None:
    """`given`: the names of headers that the view has chosen."""
    said = {name.lower() for name in given}
    if call.quota is not None:
        headers += call.quota.headers().items()
    headers.append(("X-Request-ID", call.identity))
    headers += call.shared.always
    headers += [header for header in PRIVATE if header[0].lower() not in said] if said else PRIVATE


def _id_of(offered: str) -> str:
    """The client's own id where it is harmless in a log, else a new one."""
    if offered and ACCEPTABLE_ID.fullmatch(offered):
        return offered
    return f"{random.getrandbits(128):032x}"
