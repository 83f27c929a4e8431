"""The requests of one connection, answered one after the other.

Plain ones (`serving.plain_heads`) are read, and answered, without gunicorn's parser and Response; what the application
sees and the client gets is the same. All others are gunicorn's.
"""

from __future__ import annotations

import errno
from io import BytesIO
from typing import Any, Final, Protocol

from gevent import GreenletExit
from gunicorn import http, util
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.unreader import SocketUnreader
from gunicorn.http.wsgi import Response, base_environ

from serving.answer_heads import AnswerHeads
from serving.connection import TimedSocket
from serving.plain_heads import PlainHead, PlainHeads

GONE: Final = (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN)
"""The client is; that is for no log."""


class PlainRequest:
    """What its connection, and gunicorn's Response, want to know of a request."""

    __slots__ = ("_closes", "body", "method")
    version = (1, 1)

    def __init__(self, method: str, closes: bool) -> None:
        self.method = method
        self._closes = closes
        self.body: Body | None = None
        """What is still to be read; None where all of it is here."""

    def should_close(self) -> bool:
        """Whether its answer is the last on the connection."""
        return self._closes

    def force_close(self) -> None:
        """Let its answer be the last."""
        self._closes = True


class Reply:
    """What an application answers, until it is sent."""

    __slots__ = ("headers", "status", "written")

    def __init__(self) -> None:
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.written: list[bytes] = []

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """WSGI's start_response. Nothing is sent before the application has returned, so it may be said anew."""
        self.status, self.headers = status, headers
        return self.written.append


class Host(Protocol):
    """The worker, as a conversation sees it."""

    cfg: Any
    log: Any
    wsgi: Any
    answer_heads: AnswerHeads
    plain_heads: PlainHeads
    environ: dict[str, Any]
    """What is true of every request."""

    def goes_on(self) -> bool: ...
    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> Any: ...
    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None: ...
    def tell_of_end(self, connection: TimedSocket, method: str) -> None: ...


def environ_of_all(config: Any) -> dict[str, Any]:
    """What WSGI's environment says of every plain request."""
    own = {"wsgi.multithread": True, "wsgi.url_scheme": "http", "SERVER_PROTOCOL": "HTTP/1.1", "SCRIPT_NAME": ""}
    return {**base_environ(config), **own}


class Conversation:
    """One connection's."""

    def __init__(self, host: Host, connection: TimedSocket, server: Any, client: Any) -> None:
        """`server` and `client` are the addresses of both ends."""
        self._host = host
        self._connection = connection
        self._server, self._client = server, client
        self._parser: Any = None
        self._base = {**host.environ, "gunicorn.socket": connection}
        self._base["SERVER_NAME"], self._base["SERVER_PORT"] = server[0], str(server[1])
        self._base["REMOTE_ADDR"], self._base["REMOTE_PORT"] = client[0], str(client[1])

    def run(self) -> None:
        """Answer until a request is the last, or the client has nothing more to ask; then close the connection."""
        request: Any = None
        try:
            while head := self._connection.head():
                plain = self._host.plain_heads.read(head, self._base)
                request = None
                if plain is None:
                    request = self._parsed(head)
                    self._host.handle_request(self._server, request, self._connection, self._client)
                else:
                    request = PlainRequest(plain.environ["REQUEST_METHOD"], plain.closes)
                    self._answer(plain, request)
                if request.should_close():
                    break
        except (http.errors.NoMoreData, StopIteration) as end:
            self._host.log.debug("Closing connection. %s", end)
        except OSError as error:
            if error.errno not in GONE:
                self._host.log.exception("Socket error processing request.")
        except BaseException as error:  # noqa: BLE001 - whatever it is has its answer, and ends this connection only
            self._host.handle_error(request, self._connection, self._client, error)
        finally:
            util.close(self._connection)

    def _parsed(self, head: bytes) -> Any:
        self._connection.unread(head)
        if self._parser is None:
            self._parser = http.get_parser(self._host.cfg, self._connection, self._client)
        request = next(self._parser)
        request.proxy_protocol_info = {}
        return request

    def _answer(self, plain: PlainHead, request: PlainRequest) -> None:
        connection = self._connection
        connection.answer(request, plain.length)
        body = connection.whole_body()
        if body is None:
            request.body = Body(LengthReader(SocketUnreader(connection), plain.length))
        plain.environ["wsgi.input"] = BytesIO(body) if body is not None else request.body
        if not self._host.goes_on():
            request.force_close()
        try:
            reply = Reply()
            answer = self._host.wsgi(plain.environ, reply.start)
            try:
                self._send(reply, answer, request)
            finally:
                if hasattr(answer, "close"):
                    answer.close()
        except (GreenletExit, SystemExit) as end:
            self._host.tell_of_end(connection, request.method)
            raise StopIteration from end
        finally:
            connection.flush()
        connection.expect()

    def _send(self, reply: Reply, answer: Any, request: PlainRequest) -> None:
        made = None
        if not reply.written:
            made = self._host.answer_heads.made(reply.status, reply.headers, request.should_close())
        if made is not None:
            head, length = made
            body = b"".join(answer)
            if len(body) != length:
                raise ValueError(f"an answer of {len(body)} bytes says that it has {length}")
            self._connection.sendall(head + body)
            return
        response = Response(request, self._connection, self._host.cfg)
        response.start_response(reply.status, reply.headers)
        try:
            for piece in (*reply.written, *answer) if reply.written else answer:
                response.write(piece)
            response.close()
        except Exception as error:
            if not response.headers_sent:
                raise
            self._host.log.exception("Error handling request")
            self._connection.evict()  # nothing can be said any more that would not be taken for a part of the answer
            raise StopIteration from error
        if response.should_close():
            request.force_close()
