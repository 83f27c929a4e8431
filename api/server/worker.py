"""gunicorn's gevent worker, with clocks for clients who are slow: `--worker-class api.server.worker.Worker`.

Each connection has a greenlet, so nobody who is slow keeps anybody else waiting, and requests that wait for the same
commit cost no switches between threads. What differs from `gevent` (gunicorn 27):

- A request that has begun to arrive must be here, head and body, within `web.body_deadline_ms`; else it gets a 408.
- Head and body of an answer go out together.
- An answer given before the request's body was read says `Connection: close` unless the rest is small and on its way.
- Closing waits a moment for the client, so that its last answer is not cut off by a reset (RFC 9112, 9.6).
- What is no HTTP is refused with a problem (RFC 9457); gunicorn's page repeats what the client sent.
- A request that is ended because the worker stops is answered, too: whether it was done is not known.
- Connections that idle are closed at once when the worker stops.

Nothing of ours that uses locks or sockets may be imported here at the top: the worker patches them after the fork.
"""

import contextlib
import gc
from typing import Any

import gevent
from gunicorn.workers.base_async import AsyncWorker
from gunicorn.workers.ggevent import GeventWorker

from api.server.connection import TimedSocket
from api.server.unread_bodies import settling_bodies
from settings.loading import load_settings

GARBAGE = (20_000, 20, 20)
"""New objects, and rounds, after which the collector looks at each generation."""

STOP_LOOK_SECONDS = 0.1
"""How often it is looked whether the worker is to stop."""


class Worker(GeventWorker):  # type: ignore[misc] # gunicorn has no types
    """The worker of the REST processes."""

    def init_process(self) -> None:
        """Read how long a request may take to arrive."""
        self.arrival_seconds = load_settings().web.body_deadline_ms / 1000
        self.connections: set[TimedSocket] = set()
        self.cfg.set("sendfile", False)  # it would pass by what a connection still has to send
        super().init_process()

    def load_wsgi(self) -> None:
        """Load the application, and look for garbage seldom: a request leaves hardly any that holds itself."""
        super().load_wsgi()
        self.wsgi: Any = settling_bodies(self.wsgi)
        gc.collect()
        gc.freeze()
        gc.set_threshold(*GARBAGE)

    def run(self) -> None:
        """Serve until told to stop."""
        gevent.spawn(self._close_idle_when_stopped)
        super().run()

    def timeout_ctx(self) -> contextlib.AbstractContextManager[Any]:
        """A connection has clocks of its own."""
        return contextlib.nullcontext()

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve one connection until it ends."""
        connection = TimedSocket(client, self.arrival_seconds, self.cfg.keepalive)
        self.connections.add(connection)
        try:
            AsyncWorker.handle(self, listener, connection, addr)
        finally:
            self.connections.discard(connection)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Answer one request."""
        sock.answer(req)
        try:
            AsyncWorker.handle_request(self, listener_name, req, sock, addr)  # gevent's own hides that it was ended
        except (gevent.GreenletExit, SystemExit) as end:
            if not sock.begun:
                from api.server.raw_answers import ended  # noqa: PLC0415 - it brings Flask along

                sock.unsent += ended(req.method)
            raise StopIteration from end
        finally:
            sock.flush()
        sock.expect(begun=req.unreader.buf.getbuffer().nbytes > 0)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Refuse what is no HTTP; as a problem, like everything that is refused."""
        begin = len(client.unsent)
        super().handle_error(req, client, addr, exc)
        from api.server.raw_answers import as_problem  # noqa: PLC0415 - it brings Flask along

        as_problem(client.unsent, begin)

    def _close_idle_when_stopped(self) -> None:
        while self.alive:
            gevent.sleep(STOP_LOOK_SECONDS)
        for connection in list(self.connections):
            connection.close_if_idle()
