"""The embedded Valkey, which speaks Redis: wake-ups, publish and subscribe, caches."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import ClassVar

from embedded.binaries import valkey_program
from embedded.ports import LOOPBACK
from embedded.server import Server
from settings.urls import server_url


class ValkeyServer(Server):
    """Valkey on 127.0.0.1 with a password; appended to a file every second, so a crash costs at most that much.

    Nothing that matters lives only here, hence not more often.
    """

    program: ClassVar[str] = "valkey-server"
    stop_signal: ClassVar[int] = signal.SIGTERM

    def __init__(self, folder: Path, port: int = 0, *, log_file: Path | None = None) -> None:
        super().__init__(folder, port, log_file=log_file)
        self._binary = valkey_program(self.account)

    @property
    def url(self) -> str:
        """`redis://…` of database 0."""
        return server_url("redis", LOOPBACK, self.port, "0", password=self.password)

    def _prepare(self) -> None:
        if not self.data.exists():
            self.data.mkdir()
            self.account.own(self.data)

    def _command(self) -> list[str]:
        return [str(self._binary), "-"]  # the settings come by standard input: no file shows the password

    def _standard_input(self) -> bytes:
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            f"requirepass {self.password}",
            f'dir "{self.data}"',
            "daemonize no",
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "maxclients 2000",
            "tcp-keepalive 60",
            "always-show-logo no",
            "set-proc-title no",
        ]
        return ("\n".join(lines) + "\n").encode()

    def _answers(self) -> bool:
        import redis  # noqa: PLC0415 - a start may import it while the server begins
        from redis.backoff import NoBackoff  # noqa: PLC0415
        from redis.retry import Retry  # noqa: PLC0415

        client = redis.Redis.from_url(self.url, socket_timeout=5, retry=Retry(NoBackoff(), 0))
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()
