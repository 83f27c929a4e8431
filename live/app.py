"""The Socket.IO application: its parts, put together."""

from datetime import UTC, datetime

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue
from flask_socketio import SocketIO
from redis import RedisError
from sqlalchemy.exc import DBAPIError

import background
from background import Task, Tasks
from live.connections import Connections
from live.database import open_reader
from live.feeds.healing import Healing
from live.feeds.hub import Hub
from live.feeds.loading import Loading
from live.feeds.queues import Queues
from live.handshake import Believing, WebSocketsOnly
from live.identities import Identities
from live.listeners import SocketListeners
from live.members import Members
from live.packets import Reception
from live.relay import Relay
from live.sockets.web_socket import MOST_CHARACTERS, accept_web_sockets
from live.streams.door import StreamDoor
from live.streams.opening import Opening
from live.streams.serving import Streams
from live.subscriptions import Subscriptions
from queues.book_cache import BookCache
from queues.connection import connect as connect_redis
from queues.limits.counters import Counters
from queues.limits.unknown_keys import UnknownKeys
from services.identity.people.tokens import Tokens
from serving.forwarded import Proxies
from settings.sections import Settings

LOOK_UP_SECONDS = 1.0
"""How often the keys and sessions of all sockets are looked up again: a revoked one has to be gone within two."""

LOOK_SECONDS = 0.5
HEAL_SECONDS = 0.1
"""How often it is looked whether a feed has heard of more than it has."""

QUEUES_FRESH_SECONDS = 10.0

FRESH_SECONDS = 3.0
"""How old a task's last success may get before `/health` names what it waits for."""


def create_live(settings: Settings) -> Flask:
    """The WSGI application of a Socket.IO process; its background tasks run from here on."""
    app = Flask("minex-live", static_folder=None)
    tasks = app.extensions[background.EXTENSION] = Tasks()
    redis = connect_redis(settings.redis)
    sockets = _sockets(app, settings)
    open_sockets = accept_web_sockets(sockets.server)
    unknown_keys = UnknownKeys(settings.limits, Counters(settings.redis))
    keys = open_reader(settings, connections=1)  # of their own: no crowd of subscribers may keep one from its turn
    others = open_reader(settings, connections=settings.database.pool_size)
    identity = settings.identity
    tokens = Tokens(identity.token_secret, identity.previous_token_secret, identity.access_seconds)
    members = Members(Identities(others, unknown_keys, settings.exchange.admin_key, tokens), keys)
    hub, cache = Hub(settings.live.heartbeat_seconds), BookCache(redis)
    listeners = SocketListeners(sockets.server, open_sockets, hub)
    loading = Loading(hub, others, cache, settings.live.snapshot_interval_ms / 1000)
    is_public = settings.web.public_market_data
    opening = Opening(hub, others, settings.live.resume_events)
    streams = Streams(hub, loading, opening, settings.live.streams, settings.live.streams_of_address)
    connections = Connections(sockets, members, open_sockets, loading, listeners, streams, is_public=is_public)
    door = StreamDoor(app.wsgi_app, members, streams.serve, origins_of(settings), is_public=is_public)
    app.wsgi_app = Believing(door, Proxies(settings.exchange.proxies))  # type: ignore[method-assign] # how Flask wants it
    Subscriptions(sockets, hub, loading, listeners, settings.live.channels)
    Reception(sockets.server, open_sockets)
    relay = Relay(redis, hub)
    healing = Healing(hub, open_reader(settings, connections=1), loading, lambda: relay.connected)

    @app.get("/health")
    def health() -> ResponseReturnValue:
        missing = [] if relay.connected else ["redis"]
        missing += ["postgresql"] if look_up.is_stale else []
        missing += [] if missing else tasks.stale()
        return jsonify(status="degraded" if missing else "up", missing=missing)

    look_up = Task(
        "keys",
        connections.revoke,
        failure="PostgreSQL is away, keys are not looked up",
        pause=LOOK_UP_SECONDS,
        fresh_seconds=FRESH_SECONDS,
        expected=(DBAPIError,),
    )
    fail_closed = Task(
        "fail closed", connections.fail_closed, failure="sockets stay open whose keys are not known", pause=LOOK_SECONDS
    )
    end_expired = Task(
        "expired tokens", connections.end_expired, failure="sockets of expired tokens stay open", pause=LOOK_SECONDS
    )
    relaying = Task(
        "relay",
        relay.run_once,
        failure="Redis is away, nothing is relayed",
        fresh_seconds=FRESH_SECONDS,
        expected=(RedisError,),
    )
    following = Task(
        "streams",
        healing.run_once,
        failure="PostgreSQL is away, nobody looks what is missing",
        pause=HEAL_SECONDS,
        fresh_seconds=FRESH_SECONDS,
        expected=(DBAPIError,),
    )
    beating = Task(
        "heartbeats",
        lambda: hub.beat(datetime.now(UTC)),
        failure="nobody is told where its channels stand",
        pause=LOOK_SECONDS,
    )
    queues = Queues(hub, others)
    queueing = Task(
        "queues",
        queues.run_once,
        failure="PostgreSQL is away, nobody is told where orders stand",
        pause=LOOK_SECONDS,
        fresh_seconds=QUEUES_FRESH_SECONDS,
        expected=(DBAPIError,),
    )
    for task in (look_up, fail_closed, end_expired, relaying, following, beating, queueing):
        tasks.add(task).start()
    return app


def _sockets(app: Flask, settings: Settings) -> SocketIO:
    """Socket.IO over WebSocket only; the packets of a client are handled one after the other, in their order."""
    sockets = SocketIO(
        app,
        async_mode="gevent",
        async_handlers=False,
        transports=["websocket"],
        allow_upgrades=False,
        cors_allowed_origins=origins_of(settings),
        max_http_buffer_size=MOST_CHARACTERS,
    )
    app.wsgi_app = WebSocketsOnly(app.wsgi_app)  # type: ignore[method-assign] # how Flask wants it done
    return sockets


def origins_of(settings: Settings) -> list[str]:
    """Pages that may connect. Given in full: what a client claims in forwarding headers is never believed."""
    own = {(settings.web.host, settings.web.port), (settings.live.host, settings.live.port)}
    hosts = {(host, port) for host, port in own} | {
        ("localhost", port)
        for host, port in own
        if host in ("127.0.0.1", "0.0.0.0", "::1")  # noqa: S104
    }
    return sorted({f"http://{host}:{port}" for host, port in hosts} | set(settings.live.origins))
