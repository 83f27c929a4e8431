"""Ready-made requests, each as soon as a connection is free, until all are answered."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence

from bench.loads.http_client import Answer, Pool


def run_requests(port: int, requests: Sequence[bytes], connections: int) -> Counter[int]:
    """Send them all; how many answers of each status. Raises OSError where nobody listens."""
    return asyncio.run(_run(port, requests, connections))


async def _run(port: int, requests: Sequence[bytes], connections: int) -> Counter[int]:
    statuses: Counter[int] = Counter()
    all_here = asyncio.get_running_loop().create_future()

    def note(answer: Answer) -> None:
        statuses[answer.status] += 1
        if statuses.total() == len(requests):
            all_here.set_result(None)

    pool = Pool("127.0.0.1", port, connections)
    await pool.open()
    for request in requests:
        pool.request(request, note)
    await all_here
    pool.close()
    return statuses
