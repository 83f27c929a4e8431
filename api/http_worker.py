"""gunicorn's threaded worker, so that nobody who is slow holds a thread: `--worker-class api.http_worker.Worker`.

What differs from `gthread` (gunicorn 27):

- A request gets a thread once it is here, head and body; until then its bytes are gathered in the poller. What has not
  arrived within `web.body_deadline_ms` is answered with 408.
- A thread never waits for a client to fetch an answer: what the network does not take is sent on by the poller.
- Closing waits for the client in the poller; `gthread` waits up to two seconds in its one accepting thread.
- What is no HTTP is refused with a problem (RFC 9457); gunicorn's page repeats what the client sent.
"""

import contextlib
import errno
import selectors
import socket
import time
from collections import deque
from functools import partial
from typing import Any

from gunicorn.http.errors import ParseException
from gunicorn.workers.gthread import ThreadWorker

from api.arrival import Arrival
from api.connection import Connection, PunctualSocket
from api.raw_answers import as_problem, too_slow
from config import load_settings

FETCH_SECONDS = 30
"""How long a client may take to fetch what an answer has left over."""

LINGER_SECONDS = 2.0
"""How long a closed connection is read on, so that its last answer is not cut off by a reset (RFC 9112, 9.6)."""

PIECE = 65_536
"""Bytes read at once."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Worker(ThreadWorker):
    """The threaded worker of the REST processes."""

    def init_process(self) -> None:
        """Read how long a request may take to arrive, and how large it may be."""
        web = load_settings().web
        self.arrival_seconds = web.body_deadline_ms / 1000
        self.body_limit = web.body_limit_bytes
        self.fetching: deque[Connection] = deque()
        self.lingering: deque[Connection] = deque()
        self.cfg.set("sendfile", False)  # it would pass by what a connection still has to send
        super().init_process()

    def accept(self, listener: socket.socket) -> None:
        """Take a new connection."""
        try:
            connection, client = listener.accept()
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK):
                raise
            return
        self.nr_conns += 1
        self._gather(Connection(self.cfg, connection, client, listener.getsockname()))

    def on_client_socket_readable(self, conn: Connection, client: Any) -> None:
        """A kept connection has something new."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._gather(conn)

    def on_pending_socket_readable(self, conn: Connection, client: Any) -> None:
        """More of a request has come."""
        complete = self._receive(conn)
        if complete is not None:
            self.poller.unregister(client)
            self.pending_conns.remove(conn)
            self._proceed(conn, complete)

    def handle(self, conn: Connection) -> Any:
        """Answer one request."""
        conn.hand_over(time.monotonic() + self.arrival_seconds)
        try:
            return super().handle(conn)
        finally:
            with contextlib.suppress(OSError):
                conn.sock.flush()

    def handle_error(self, req: Any, client: PunctualSocket, addr: Any, exc: BaseException) -> None:
        """Refuse what is no HTTP; as a problem, like everything that is refused."""
        begin = len(client.unsent)
        super().handle_error(req, client, addr, exc)
        as_problem(client, begin)

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """What is left of a body that was not read is not waited for: the connection closes."""
        conn.sock.deadline = 0.0
        try:
            return bool(super()._keepalive_after(conn, keepalive))
        except ParseException:
            return False

    def finish_request(self, conn: Connection, fs: Any) -> None:
        """Let the client fetch the answer, then go on."""
        try:
            fetched = conn.sock.flush()
        except OSError:
            self._drop(conn)
            return
        if fetched:
            self._go_on(conn, fs)
        else:
            conn.outcome = fs
            conn.timeout = time.monotonic() + FETCH_SECONDS
            self.fetching.append(conn)
            self.poller.register(conn.sock, selectors.EVENT_WRITE, partial(self._on_writable, conn))

    def murder_pending(self) -> None:
        """End what did not arrive, was not fetched or not closed in time."""
        now = time.monotonic()
        while self.pending_conns and self.pending_conns[0].timeout <= now:
            conn = self.pending_conns.popleft()
            self.poller.unregister(conn.sock)
            if conn.arrival.data:
                with contextlib.suppress(OSError):
                    conn.sock.send(too_slow())
            self._linger(conn)
        for waiting in (self.fetching, self.lingering):
            while waiting and waiting[0].timeout <= now:
                conn = waiting.popleft()
                self.poller.unregister(conn.sock)
                self._drop(conn)

    def _gather(self, conn: Connection, came_along: bytes = b"") -> None:
        """Begin with a new request, of which `came_along` is here already."""
        conn.arrival = Arrival(self.body_limit)
        complete = conn.arrival.add(came_along) or self._receive(conn)
        if complete is None:
            conn.timeout = time.monotonic() + self.arrival_seconds
            self.pending_conns.append(conn)
            more = partial(self.on_pending_socket_readable, conn)
            self.poller.register(conn.sock, selectors.EVENT_READ, more)
        else:
            self._proceed(conn, complete)

    def _receive(self, conn: Connection) -> bool | None:
        """Read what there is: True when the request is here, None when more is to come, False at the end."""
        try:
            data = conn.receive(PIECE)
        except BlockingIOError:
            return None
        except OSError:
            return False
        if not data:
            return False
        if conn.arrival.add(data):
            return True
        if conn.arrival.expects_continue:
            conn.arrival.expects_continue = False
            conn.sock.send(CONTINUE)
        return None

    def _proceed(self, conn: Connection, complete: bool) -> None:
        if complete:
            self.enqueue_req(conn)
        else:
            self._drop(conn)

    def _on_writable(self, conn: Connection, client: Any) -> None:
        try:
            fetched = conn.sock.flush()
        except OSError:
            fetched, conn.outcome = True, None
        if fetched:
            self.poller.unregister(client)
            self.fetching.remove(conn)
            if conn.outcome is None:
                self._drop(conn)
            else:
                self._go_on(conn, conn.outcome)

    def _go_on(self, conn: Connection, fs: Any) -> None:
        """After an answer: the next request, wait for one, or close."""
        conn.outcome = None
        if fs.cancelled() or fs.exception() is not None:
            self._drop(conn)
        elif not fs.result():
            self._linger(conn)
        elif came_along := conn.parser.unreader.take_buffered():
            self._gather(conn, came_along)
        else:
            super().finish_request(conn, fs)

    def _linger(self, conn: Connection) -> None:
        """Say that nothing more will be sent, and read on until the client has closed, too."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._read_on, conn))
        except (OSError, ValueError, KeyError):
            self._drop(conn)
            return
        conn.timeout = time.monotonic() + LINGER_SECONDS
        self.lingering.append(conn)

    def _read_on(self, conn: Connection, client: Any) -> None:
        try:
            ended = not conn.receive(PIECE)
        except BlockingIOError:
            return
        except OSError:
            ended = True
        if ended:
            self.poller.unregister(client)
            self.lingering.remove(conn)
            self._drop(conn)

    def _drop(self, conn: Connection) -> None:
        self.nr_conns -= 1
        conn.close()
