"""The jobs that an ordinary `rq worker` can run. It is slower than the group worker and just as correct."""

from functools import cache

from queues.bus import Bus
from queues.connection import connect as connect_redis
from queues.wakeups import Wakeups
from settings.loading import load_settings
from workers.database import connect_worker
from workers.matcher import Matcher


def match_symbol(symbol: str) -> None:
    """Match everything that waits for one stock."""
    wakeups, matcher = _matcher()
    wakeups.clear(symbol)
    while matcher.run_once([symbol]):
        continue


@cache
def _matcher() -> tuple[Wakeups, Matcher]:
    """One matcher a process: its books and connections serve every job that it runs."""
    settings = load_settings()
    redis = connect_redis(settings.redis)
    matcher = Matcher(connect_worker(settings), Bus(redis), settings, settings.match.turn_limit)
    return Wakeups(redis), matcher
