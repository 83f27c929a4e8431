"""A session whose client has gone is gone as well, and does not sleep on until it would have pinged him."""

import gc
import weakref

import gevent
import socketio
from engineio.socket import Socket

from live.sockets.sessions import forget
from live.sockets.web_socket import accept_web_sockets


def session_of(server: socketio.Server) -> Socket:
    """A new session, waiting to ping its client."""
    server.eio.sockets["sid"] = session = Socket(server.eio, "sid")
    session.last_ping = 1.0
    session.schedule_ping()
    gevent.sleep(0)
    return session


def test_it_is_forgotten_with_the_connection_and_leaves_no_garbage() -> None:
    server = socketio.Server(async_mode="gevent", ping_interval=60)
    accept_web_sockets(server)
    session = session_of(server)
    gone = weakref.ref(session)
    gc.disable()
    try:
        forget(session)
        gevent.sleep(0)
        del session
        assert gone() is None
        assert server.eio.sockets == {}
    finally:
        gc.enable()


def test_a_client_who_is_there_is_pinged() -> None:
    server = socketio.Server(async_mode="gevent", ping_interval=0.05)
    accept_web_sockets(server)
    session = session_of(server)
    gevent.sleep(0.2)
    assert session.queue.get_nowait().encode() == "2"
    forget(session)


def test_whoever_was_never_pinged_has_nothing_to_end() -> None:
    server = socketio.Server(async_mode="gevent")
    forget(Socket(server.eio, "sid"))


def test_other_servers_keep_what_the_library_gave_them() -> None:
    first, second = socketio.Server(async_mode="gevent"), socketio.Server(async_mode="gevent")
    accept_web_sockets(first)
    assert second.eio._async["thread"] is not first.eio._async["thread"]
