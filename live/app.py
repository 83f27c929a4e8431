"""The Socket.IO application: who may connect, what may be subscribed to."""

import logging
from typing import Any

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from flask_socketio import ConnectionRefusedError, SocketIO, join_room, leave_room
from sqlalchemy.exc import DBAPIError

from database.session import connect, transaction
from live.channels import Channel, parse_channels, user_room
from live.fan_out import FanOut
from live.members import Members
from live.relay import Relay
from live.snapshots import top_of
from queues.book_cache import BookCache
from queues.connection import connect as connect_redis
from services.market_data.book import read_book, read_tape
from settings.sections import Settings

log = logging.getLogger(__name__)

REVOKE_SECONDS = 2
"""How often the keys of connected sockets are looked up again."""

PATIENCE_MS = 5_000
"""The relay blocks on Redis on purpose; only silence beyond its polls means that Redis is away."""


def create_live(settings: Settings) -> Flask:
    """The WSGI application of a Socket.IO process; its background tasks run from here on."""
    app = Flask("minex-live", static_folder=None)
    engine = connect(settings.database.url, pool_size=settings.database.pool_size, application="minex-live")
    redis = connect_redis(settings.redis, patience_ms=PATIENCE_MS)
    sockets = SocketIO(app, async_mode="gevent", cors_allowed_origins=_origins(settings), max_http_buffer_size=65_536)
    members = Members(engine)
    relay = Relay(redis, FanOut(sockets.server), settings.live.snapshot_interval_ms / 1000)
    _handle_connections(sockets, members)
    _handle_subscriptions(sockets, engine, BookCache(redis))

    @app.get("/health")
    def health() -> ResponseReturnValue:
        missing = [] if relay.connected else ["redis"]
        return jsonify(status="degraded" if missing else "up", missing=missing)

    sockets.start_background_task(relay.run)
    sockets.start_background_task(_revoke_for_ever, sockets, members)
    return app


def _origins(settings: Settings) -> list[str]:
    """Pages that may connect. Given in full: what a client claims in forwarding headers is never believed."""
    own = {(settings.web.host, settings.web.port), (settings.live.host, settings.live.port)}
    hosts = {(host, port) for host, port in own} | {
        ("localhost", port)
        for host, port in own
        if host in ("127.0.0.1", "0.0.0.0", "::1")  # noqa: S104
    }
    return sorted({f"http://{host}:{port}" for host, port in hosts} | set(settings.live.origins))


def _handle_connections(sockets: SocketIO, members: Members) -> None:
    @sockets.on("connect")
    def enter(auth: Any = None) -> None:
        key = auth.get("api_key") or auth.get("token") if isinstance(auth, dict) else None
        if key is None:
            return
        try:
            broker_id = members.enter(_socket_id(), str(key))
        except DBAPIError as error:
            log.warning("PostgreSQL is away, a connection was refused: %s", error)
            raise ConnectionRefusedError("unavailable") from error
        if broker_id is None:
            raise ConnectionRefusedError("unauthorized")
        join_room(user_room(broker_id))

    @sockets.on("disconnect")
    def leave(*_: Any) -> None:
        members.leave(_socket_id())


def _handle_subscriptions(sockets: SocketIO, engine: Any, cache: BookCache) -> None:
    @sockets.on("subscribe")
    def subscribe(body: Any = None) -> dict[str, Any]:
        try:
            channels, unknown = parse_channels(body)
        except ValueError as error:
            return {"error": str(error)}
        snapshots: dict[str, Any] = {}
        for channel in channels:
            # Joined before the snapshot is read: what happens in between arrives twice rather than never.
            join_room(channel.room)
            snapshot = _snapshot(engine, cache, channel)
            if snapshot is None:
                leave_room(channel.room)
                unknown.append(channel.room)
            else:
                snapshots[channel.room] = snapshot
        return {"channels": snapshots, "unknown": unknown}

    @sockets.on("unsubscribe")
    def unsubscribe(body: Any = None) -> dict[str, Any]:
        try:
            channels, unknown = parse_channels(body)
        except ValueError as error:
            return {"error": str(error)}
        for channel in channels:
            leave_room(channel.room)
        return {"channels": [channel.room for channel in channels], "unknown": unknown}


def _snapshot(engine: Any, cache: BookCache, channel: Channel) -> dict[str, Any] | None:
    """Where the channel stands now, with its sequence; None for a stock that is not listed."""
    with transaction(engine) as session:
        if channel.kind == "stock":
            return read_tape(session, channel.symbol)
        book = read_book(session, channel.symbol, cache.get(channel.symbol))
    return None if book is None else top_of(book)


def _revoke_for_ever(sockets: SocketIO, members: Members) -> None:
    while True:
        sockets.sleep(REVOKE_SECONDS)
        try:
            members.revoke(lambda socket_id: sockets.server.disconnect(socket_id, namespace="/"))
        except DBAPIError as error:
            log.warning("PostgreSQL is away, keys are not looked up: %s", error)


def _socket_id() -> str:
    socket_id: str = request.sid  # type: ignore[attr-defined]
    return socket_id
