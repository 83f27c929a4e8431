"""What the views of one process work with."""

from dataclasses import dataclass
from typing import cast

from flask import current_app
from redis import Redis

from api.backpressure import Backpressure
from api.database import Database
from api.intake import Intake
from api.keys import Keys
from api.limits import RateLimits
from api.pulse import Pulse
from api.waiting import WaitingRoom
from queues.book_cache import BookCache
from queues.connection import connect as connect_redis
from queues.replies import Replies
from queues.wakeups import Wakeups
from settings.sections import Settings

EXTENSION = "minex"


@dataclass(frozen=True, slots=True)
class Desk:
    """The collaborators of the views, made once by the factory."""

    settings: Settings
    database: Database
    redis: Redis
    keys: Keys
    wakeups: Wakeups
    replies: Replies
    books: BookCache
    backpressure: Backpressure
    limits: RateLimits
    intake: Intake
    pulse: Pulse
    waiting_room: WaitingRoom


def open_desk(settings: Settings) -> Desk:
    """Prepare everything; PostgreSQL and Redis are connected to when first needed."""
    database = Database(settings)
    redis = connect_redis(settings.redis)
    wakeups = Wakeups(redis)
    backpressure = Backpressure(database, settings.match)
    return Desk(
        settings=settings,
        database=database,
        redis=redis,
        keys=Keys(database, settings.exchange.admin_key, settings.web.key_cache_ms),
        wakeups=wakeups,
        replies=Replies(redis),
        books=BookCache(redis),
        backpressure=backpressure,
        limits=RateLimits(settings.limits, settings.redis),
        intake=Intake(database, wakeups, backpressure, settings),
        pulse=Pulse(database, redis, settings.match.groups),
        waiting_room=WaitingRoom(settings.web.waiting),
    )


def desk() -> Desk:
    """The present application's."""
    return cast(Desk, current_app.extensions[EXTENSION])
