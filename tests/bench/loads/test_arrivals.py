"""The lean client reads whole answers and nothing else, and what it noted is added up rightly."""

from __future__ import annotations

import asyncio
import math

import pytest

from bench.loads.arrivals import Answers
from bench.loads.http_client import Answer, Pool, parsed_answer
from bench.loads.schedule import READ_KINDS, Kind
from bench.world.backlog import Backlog

CREATED = b'HTTP/1.1 201 CREATED\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{"order_id":7}'
GONE = b"HTTP/1.1 204 NO CONTENT\r\nServer: x\r\n\r\n"


@pytest.mark.parametrize("length", range(len(CREATED)))
def test_a_part_of_an_answer_is_none(length: int) -> None:
    assert parsed_answer(CREATED[:length]) is None


def test_a_whole_answer() -> None:
    answer = parsed_answer(CREATED)
    assert answer is not None
    assert (answer.status, answer.body) == (201, b'{"order_id":7}')
    assert b"\r\ncontent-length: 14\r\n" in answer.head


def test_no_content_needs_no_length_and_anything_else_does() -> None:
    assert parsed_answer(GONE) == Answer(204, GONE[:-2].lower())
    with pytest.raises(ValueError, match="without a length"):
        parsed_answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")


def test_requests_beyond_the_connections_wait_their_turn_and_a_lost_connection_is_an_answer() -> None:
    served: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(writer)
        while request := await reader.read(100):
            if b"hang up" in request:
                break
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(request), request))
        writer.close()

    async def ask() -> list[tuple[int, bytes]]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        pool = Pool("127.0.0.1", server.sockets[0].getsockname()[1], connections=1)
        await pool.open()
        answers: list[tuple[int, bytes]] = []
        for request in (b"one", b"two", b"hang up", b"three"):
            pool.request(request, lambda answer: answers.append((answer.status, answer.body)))
        while pool.under_way:
            await asyncio.sleep(0.001)
        pool.close()
        for writer in served:
            await writer.wait_closed()
        server.close()
        await server.wait_closed()
        return answers

    answers = asyncio.run(asyncio.wait_for(ask(), 10))
    assert answers == [(200, b"one"), (200, b"two"), (0, b""), (200, b"three")]


def test_what_the_client_noted_is_added_up() -> None:
    nothing = {kind.value: [] for kind in Kind}
    answers = Answers.of(
        {
            "latencies": {**nothing, "order": [1.0, 3.0], "book": [5.0], "price": [7.0]},
            "statuses": {"order": {"201": 2, "503": 4}, "book": {"200": 1}, "price": {"200": 1, "0": 1}},
            "late": [],
            "unanswered": 3,
            "without_retry_after": 0,
            "left_out": 0,
            "client_cpu": 0.1,
        }
    )
    assert answers.percentile(0.5, Kind.ORDER) == 2.0
    assert answers.percentile(1.0, *READ_KINDS) == 7.0
    assert math.isnan(answers.percentile(0.5, Kind.CANCEL))
    assert (answers.accepted, answers.answered(503), answers.not_good()) == (2, 4, 8)


def test_a_backlog_that_grows_is_seen_in_the_second_half() -> None:
    growing = Backlog([(0.0, 0), (1.0, 10), (2.0, 20), (3.0, 30), (4.0, 40)])
    assert growing.later_mean == 30
    assert (growing.most, growing.at_end) == (40, 40)
    assert growing.over_time(4) == [0, 10, 20, 40]
    assert Backlog().over_time() == []
    assert Backlog().most == 0
