"""Given more at once than there are connections to Redis, then they wait for each other."""

from __future__ import annotations

import threading

from queues.connection import MOST, connect
from settings.sections import Redis


def test_a_crowd_waits_instead_of_being_told_that_redis_is_away(redis_url: str) -> None:
    client = connect(Redis(url=redis_url, timeout_ms=5_000))
    answers: list[object] = []

    def run() -> None:
        answers.append(client.blpop(["nothing comes here"], 0.2))

    threads = [threading.Thread(target=run) for _ in range(MOST + 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    client.close()
    assert answers == [None] * (MOST + 50)
