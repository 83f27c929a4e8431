"""The Socket.IO application: its parts, put together."""

from flask import Flask, jsonify
from flask.typing import ResponseReturnValue
from flask_socketio import SocketIO

from database.session import connect
from live.connections import Connections
from live.fan_out import FanOut
from live.handshake import WebSocketsOnly
from live.members import Members
from live.packets import Reception
from live.relay import Relay
from live.subscriptions import Subscriptions
from live.web_socket import MOST_CHARACTERS, accept_web_sockets
from queues.book_cache import BookCache
from queues.connection import connect as connect_redis
from queues.counters import Counters
from queues.unknown_keys import UnknownKeys
from settings.sections import Settings


def create_live(settings: Settings) -> Flask:
    """The WSGI application of a Socket.IO process; its background tasks run from here on."""
    app = Flask("minex-live", static_folder=None)
    engine = connect(settings.database.url, pool_size=settings.database.pool_size, application="minex-live")
    redis = connect_redis(settings.redis)
    sockets = _sockets(app, settings)
    open_sockets = accept_web_sockets(sockets.server)
    unknown_keys = UnknownKeys(settings.limits, Counters(settings.redis))
    members = Members(engine, unknown_keys, settings.exchange.admin_key)
    connections = Connections(sockets, members, open_sockets)
    Subscriptions(sockets, engine, BookCache(redis))
    Reception(sockets.server, open_sockets)
    relay = Relay(redis, FanOut(sockets.server, open_sockets), settings.live.snapshot_interval_ms / 1000)

    @app.get("/health")
    def health() -> ResponseReturnValue:
        missing = [] if relay.connected else ["redis"]
        return jsonify(status="degraded" if missing else "up", missing=missing)

    sockets.start_background_task(relay.run)
    sockets.start_background_task(connections.revoke_for_ever)
    return app


def _sockets(app: Flask, settings: Settings) -> SocketIO:
    """Socket.IO over WebSocket only; the packets of a client are handled one after the other, in their order."""
    sockets = SocketIO(
        app,
        async_mode="gevent",
        async_handlers=False,
        transports=["websocket"],
        allow_upgrades=False,
        cors_allowed_origins=_origins(settings),
        max_http_buffer_size=MOST_CHARACTERS,
    )
    app.wsgi_app = WebSocketsOnly(app.wsgi_app)  # type: ignore[method-assign] # how Flask wants it done
    return sockets


def _origins(settings: Settings) -> list[str]:
    """Pages that may connect. Given in full: what a client claims in forwarding headers is never believed."""
    own = {(settings.web.host, settings.web.port), (settings.live.host, settings.live.port)}
    hosts = {(host, port) for host, port in own} | {
        ("localhost", port)
        for host, port in own
        if host in ("127.0.0.1", "0.0.0.0", "::1")  # noqa: S104
    }
    return sorted({f"http://{host}:{port}" for host, port in hosts} | set(settings.live.origins))
