"""What the views of one process work with."""

from dataclasses import dataclass
from typing import cast

from redis import Redis

from api.http.calls import present
from api.intake.backpressure import Backpressure
from api.intake.intake import Intake
from api.runtime.database import Database
from api.runtime.hashing import Hashing
from api.runtime.health_probe import HealthProbe
from api.runtime.kept_books import KeptBooks
from api.runtime.kept_sparklines import KeptSparklines
from api.runtime.key_cache import Keys
from api.runtime.rate_limits import RateLimits
from api.runtime.rebuilds import Rebuilds
from api.runtime.session_cache import Sessions
from api.runtime.shared_read import SharedRead
from api.runtime.waiting import WaitingRoom
from background import Tasks
from queues.book_cache import BookCache
from queues.connection import connect as connect_redis
from queues.heartbeats import Heartbeats
from queues.limits.counters import Counters
from queues.limits.log_in_guard import LogInGuard
from queues.replies import Replies
from queues.wakeups import Wakeups
from queues.webhook_wakeups import WebhookWakeups
from services.identity.people.tokens import Tokens
from settings.sections import Settings

EXTENSION = "minex"


@dataclass(frozen=True, slots=True)
class Components:
    """The collaborators of the views, made once by the factory."""

    settings: Settings
    database: Database
    redis: Redis
    keys: Keys
    tokens: Tokens
    sessions: Sessions
    hashing: Hashing
    log_in_guard: LogInGuard
    wakeups: Wakeups
    webhook_wakeups: WebhookWakeups
    replies: Replies
    books: KeptBooks
    sparklines: KeptSparklines
    all_tickers: SharedRead
    rebuilds: Rebuilds
    backpressure: Backpressure
    limits: RateLimits
    intake: Intake
    health_probe: HealthProbe
    waiting_room: WaitingRoom
    tasks: Tasks


def open_components(settings: Settings) -> Components:
    """Prepare everything; PostgreSQL and Redis are connected to when first needed."""
    database = Database(settings)
    redis = connect_redis(settings.redis)
    wakeups = Wakeups(redis)
    backpressure = Backpressure(database, settings.match)
    tasks = Tasks()
    counters = Counters(settings.redis)
    identity = settings.identity
    tokens = Tokens(identity.token_secret, identity.previous_token_secret, identity.access_seconds)
    return Components(
        settings=settings,
        database=database,
        redis=redis,
        keys=Keys(database, settings, tasks),
        tokens=tokens,
        sessions=Sessions(database, tokens, settings),
        hashing=Hashing(identity.hashes_at_once),
        log_in_guard=LogInGuard(redis, counters),
        wakeups=wakeups,
        webhook_wakeups=WebhookWakeups(redis),
        replies=Replies(redis, tasks),
        books=KeptBooks(BookCache(redis)),
        sparklines=KeptSparklines(database, settings),
        all_tickers=SharedRead(),
        rebuilds=Rebuilds(),
        backpressure=backpressure,
        limits=RateLimits(settings.limits, settings.redis, counters),
        intake=Intake(database, wakeups, backpressure, settings, tasks),
        health_probe=HealthProbe(database, Heartbeats(redis), wakeups, settings.match.groups, tasks),
        waiting_room=WaitingRoom(settings.web.waiting),
        tasks=tasks,
    )


def components() -> Components:
    """Those of the application that has the present request."""
    return cast(Components, present().shared.components)
