"""gunicorn's gevent worker, made to be spoken to by strangers.

Each connection has a greenlet, so nobody who is slow keeps anybody else waiting, and requests that wait for the same
commit cost no switches between threads. What differs from `gevent` (gunicorn 27):

- A request that has begun to arrive must be here, head and body, within `arrival_seconds`; else it is refused.
- A request has its turn on the processor, see `serving.turns`; its head has at most 32 KB.
- When all connections are taken, or all that one address may have, the one that has been idle for longest goes.
- Plain requests are read and answered without gunicorn's parser and Response (`serving.conversation`).
- Head and body of an answer go out together.
- Closing waits a moment for the client, so that its last answer is not cut off by a reset (RFC 9112, 9.6).
- A request that is ended because the worker stops is answered, too: whether it was done is not known.
- Connections that idle are closed at once when the worker stops.

Nothing of ours that uses locks or sockets may be imported here at the top: they are patched in `FairWorker.setup`.
"""

import contextlib
import gc
import importlib
import re
import sys
from functools import partial
from typing import Any, ClassVar, Protocol

import gevent
from gevent import monkey
from gunicorn.http.body import LengthReader
from gunicorn.workers.base_async import AsyncWorker
from gunicorn.workers.ggevent import GeventWorker

from imports import without_collection
from serving.answer_heads import AnswerHeads
from serving.connection import TimedSocket
from serving.conversation import Conversation, environ_of_all
from serving.open_connections import OpenConnections
from serving.patience import Patience, ReadRefusals
from serving.plain_heads import PlainHeads
from serving.present import run_as
from serving.turns import Turns

GARBAGE = (5_000, 4, 10)
"""New objects, and rounds, after which the collector looks at each generation. While it looks nobody has his turn:
where all that is new is garbage, 5,000 objects take 4 ms, and the second generation 15. The third is no larger, as long
as it does not wait for long: what a process keeps was frozen when it was loaded."""

STOP_LOOK_SECONDS = 0.1
"""How often it is looked whether the worker is to stop."""

ACCEPTED_AT_ONCE = 32
"""New connections before those that there are have their turn. The system gives them out in their order, also whoever
came in a crowd: so they are taken quickly, and cost hardly anything until they say something (`serving.entrance`)."""

STATUS_LINE = re.compile(rb"HTTP/1\.1 ([0-9]{3}) ")

PATCHES = (monkey.patch_thread, monkey.patch_socket, monkey.patch_ssl, monkey.patch_select, monkey.patch_time)
"""What is done before modules are imported, which keep what they find. Not all that a worker patches later: the master
hears of its children by the system's own signals, and by the standard library's queue."""

ENDING = 100
"""Connections that may be on their way out beside those that are taken."""


class Refusals(ReadRefusals, Protocol):
    """What is answered without the application."""

    def of_status(self, status: int) -> bytes:
        """To what is no HTTP."""
        ...

    def ended(self, method: str) -> bytes:
        """To a request that was ended because its worker stops."""
        ...

    def all_taken(self) -> bytes:
        """To a connection for which there is no place."""
        ...


class FairWorker(GeventWorker):  # type: ignore[misc] # gunicorn has no types
    """Serves connections to strangers; what it refuses by itself, its heirs say."""

    ahead: ClassVar[str]
    """The module that gunicorn's master imports, with all that it needs: so a new worker is there at once."""
    arrival_seconds = 5.0
    most_connections = 1_000
    most_of_address = 500
    alive: bool
    """gunicorn's: False once the worker is to stop."""

    @classmethod
    def setup(cls) -> None:
        """In gunicorn's master, and of no effect when it is asked again."""
        if cls.ahead not in sys.modules:
            for patch in PATCHES:
                patch()
            with without_collection():
                importlib.import_module(cls.ahead)
            gc.collect()
            gc.freeze()

    def init_process(self) -> None:
        """Prepare for connections."""
        self.turns = Turns()
        self.open_connections = OpenConnections(self.most_connections, self.most_of_address)
        self.worker_connections = self.most_connections + ENDING
        self.server_class = self._entrance
        self.cfg.set("sendfile", False)  # it would pass by what a connection still has to send
        self.cfg.__dict__.update({name: setting.get() for name, setting in self.cfg.settings.items()})  # found at once
        self.answer_heads = AnswerHeads()
        self.plain_heads = PlainHeads()
        self.environ = environ_of_all(self.cfg)
        super().init_process()

    def refusals(self) -> Refusals:
        """What is answered without the application."""
        raise NotImplementedError

    def _entrance(self, listener: Any, spawn: Any, **_: Any) -> Any:
        """Where gunicorn would make a server of its own."""
        from serving.entrance import Entrance  # noqa: PLC0415 - sockets are patched by now

        handle = partial(self.handle, listener)
        entrance = Entrance(listener, handle, spawn, self.open_connections, self.arrival_seconds)
        entrance.max_accept = ACCEPTED_AT_ONCE if self.cfg.workers == 1 else 1  # else those of others have a share
        return entrance

    def load_wsgi(self) -> None:
        """Load the application, and look for garbage seldom: a request leaves hardly any that holds itself."""
        super().load_wsgi()
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
        address = addr[0] if isinstance(addr, tuple) else ""
        patience = Patience(self.arrival_seconds, self.cfg.keepalive)
        served = TimedSocket(client, address, self.turns, self.open_connections, self.refusals(), patience)
        if not self.open_connections.add(served):
            served.refuse(self.refusals().all_taken())
            return
        run_as(served.flow)
        try:
            if served.begins():
                Conversation(self, served, listener.getsockname(), addr).run()
            else:
                served.drop()
        finally:
            self.open_connections.remove(served)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Answer one request."""
        sock.answer(req, req.body.reader.length if isinstance(req.body.reader, LengthReader) else 0)
        try:
            AsyncWorker.handle_request(self, listener_name, req, sock, addr)  # gevent's own hides that it was ended
        except (gevent.GreenletExit, SystemExit) as end:
            self.tell_of_end(sock, req.method)
            raise StopIteration from end
        finally:
            sock.flush()
        sock.expect()

    def tell_of_end(self, connection: TimedSocket, method: str) -> None:
        """A request with this method is ended amid its work: answer it, if nothing has been answered yet."""
        if not connection.begun:
            connection.unsent += self.refusals().ended(method)

    def goes_on(self) -> bool:
        """One more request begins; whether another may follow on its connection."""
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.alive = False
        return bool(self.alive and self.cfg.keepalive)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Refuse what is no HTTP. gunicorn's own page, which repeats what the client sent, is not sent."""
        begin = len(client.unsent)
        super().handle_error(req, client, addr, exc)
        told = STATUS_LINE.match(client.unsent, begin)
        if told is not None:
            client.unsent[begin:] = self.refusals().of_status(int(told[1]))

    def _close_idle_when_stopped(self) -> None:
        while self.alive:
            gevent.sleep(STOP_LOOK_SECONDS)
        for served in self.open_connections:
            served.close_if_idle()
