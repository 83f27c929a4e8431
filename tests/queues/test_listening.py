"""Given a message that comes in pieces, as long ones do, then it is heard whole, and nobody takes Redis for away."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from redis import Redis

from queues.connection import connect
from queues.listening import next_message
from settings import sections

PAUSE_SECONDS = 0.05


@pytest.fixture
def halting_url(redis_url: str) -> Iterator[str]:
    """The same Redis at an address where each answer of more than a hundred bytes halts in its middle."""
    parts = urlsplit(redis_url)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=[listener, parts.path], daemon=True).start()
        yield f"redis://{parts.username}:{parts.password}@127.0.0.1:{listener.getsockname()[1]}"


def serve(listener: socket.socket, path: str) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            server = socket.socket(socket.AF_UNIX)
            server.connect(path)
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=pass_on, args=[source, sink, sink is client], daemon=True).start()


def pass_on(source: socket.socket, sink: socket.socket, halts: bool) -> None:
    with contextlib.suppress(OSError), source:
        while data := source.recv(65_536):
            middle = len(data) // 2 if halts and len(data) > 100 else 0
            sink.sendall(data[:middle])
            if middle:
                time.sleep(PAUSE_SECONDS)
            sink.sendall(data[middle:])
        sink.shutdown(socket.SHUT_WR)


def test_a_message_in_two_pieces_is_heard_whole(halting_url: str, redis_url: str) -> None:
    redis = connect(sections.Redis(url=halting_url, timeout_ms=5_000))
    with Redis.from_url(redis_url) as other, redis.pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe("news")
        for number in range(5):
            said = f"{number}".encode() * 1_000
            heard = None
            while other.publish("news", said) == 0:
                time.sleep(0.01)
            while heard is None:
                heard = next_message(channel, 0)
            assert heard == said
    redis.close()


def test_without_a_message_there_is_none(redis_url: str) -> None:
    redis = connect(sections.Redis(url=redis_url, timeout_ms=5_000))
    with redis.pubsub(ignore_subscribe_messages=True) as channel:
        channel.subscribe("news")
        assert [next_message(channel, 0.01) for _ in range(3)] == [None] * 3
    redis.close()
