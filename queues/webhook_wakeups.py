"""Wake whoever sends to receivers: a job on RQ's queue `webhooks` for each broker whose hook is to be looked at."""

from redis import Redis

from queues.jobs import webhook_job
from queues.keyed_jobs import KeyedJobs
from queues.names import WEBHOOK_QUEUE, webhook_flag


class WebhookWakeups(KeyedJobs):
    """The waiting jobs, by the numbers of brokers."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis, WEBHOOK_QUEUE, webhook_job, webhook_flag)
