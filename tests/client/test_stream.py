"""One event stream over a real connection: what is told, and how it ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from client import EventStream, Unreachable

EVENT = b'event: PRICE\nid: e:7\ndata: {"symbol": "PETR4"}\n\n'


class Silent:
    """Tells one event, and then nothing until it is let go."""

    def __init__(self) -> None:
        self.goes = threading.Event()
        silent = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b": here\n\n" + EVENT)
                silent.goes.wait(30)

            def log_message(self, *_: object) -> None:
                """Nothing to the terminal."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def silent() -> Iterator[Silent]:
    place = Silent()
    thread = threading.Thread(target=place.server.serve_forever, args=[0.05])
    thread.start()
    yield place
    place.goes.set()
    place.server.shutdown()
    place.server.server_close()
    thread.join()


def test_a_stream_that_is_waited_for_ends_when_somebody_else_closes_it(silent: Silent) -> None:
    stream = EventStream(silent.url, None, ["prices"])
    heard, begun = [], threading.Event()

    def read() -> None:
        with suppress(Unreachable):
            for event in stream:
                heard.append((event.name, event.payload, event.id))
                begun.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert begun.wait(10)
    closer = threading.Thread(target=stream.close)
    closer.start()
    closer.join(10)
    is_closed = not closer.is_alive()
    reader.join(10)
    is_over = not reader.is_alive()
    silent.goes.set()
    assert (is_closed, is_over) == (True, True), "nothing came meanwhile that could have woken it"
    assert heard == [("PRICE", {"symbol": "PETR4"}, "e:7")]


def test_it_may_be_closed_again(silent: Silent) -> None:
    stream = EventStream(silent.url, None, ["prices"])
    stream.close()
    stream.close()
