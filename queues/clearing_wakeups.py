"""Wake whoever judges trades: a job on RQ's queue `clearing` that says "look at the tapes"."""

from typing import Final

from redis import Redis

from queues.jobs import clearing_job
from queues.keyed_jobs import KeyedJobs
from queues.names import CLEARING_QUEUE, clearing_flag

ALL: Final = 1
"""All tapes are looked at together, so one job is enough."""


class ClearingWakeups(KeyedJobs):
    """The one job, where there is something to judge."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis, CLEARING_QUEUE, lambda _: clearing_job(), lambda _: clearing_flag())

    def wake_all(self) -> bool:
        """Have the tapes looked at. False when Redis is away."""
        return self.wake([ALL])
