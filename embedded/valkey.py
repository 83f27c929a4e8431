"""The embedded Valkey, which speaks Redis: wake-ups, publish and subscribe, caches."""

from __future__ import annotations

import hmac
import signal
from pathlib import Path
from typing import ClassVar

from embedded.binaries import valkey_program
from embedded.server import Server
from embedded.socket_path import forget, made_again, socket_path
from queues.permissions import OPERATOR, PROCESSES, user_lines
from settings.urls import socket_url

SOCKET = "valkey"


class ValkeyServer(Server):
    """Valkey on a Unix socket that its account alone can reach, with a user for each kind of process.

    No TCP: anybody on this machine could take all connections without a word. What it holds is appended to a file every
    second, so a crash costs at most that much; nothing that matters lives only here, hence not more often.
    """

    program: ClassVar[str] = "valkey-server"
    stop_signal: ClassVar[int] = signal.SIGTERM

    def __init__(self, folder: Path, *, log_file: Path | None = None) -> None:
        super().__init__(folder, log_file=log_file)
        self._binary = valkey_program(self.account)
        self._socket = self.folder / SOCKET

    @property
    def url(self) -> str:
        """`unix://…` for the operator, who may do everything."""
        return self.url_of(OPERATOR)

    def url_of(self, user: str) -> str:
        """`unix://…` for one of `queues.permissions`."""
        return socket_url(str(self._socket), user=user, password=self.password_of(user))

    @property
    def urls(self) -> dict[str, str]:
        """The url of each kind of process."""
        return {process: self.url_of(process) for process in PROCESSES}

    def password_of(self, user: str) -> str:
        """Made from the one that is kept: who knows that of one user learns nothing of the others'."""
        return hmac.digest(self.password.encode(), user.encode(), "sha256").hex()

    def stop(self, timeout: float = 10.0) -> None:
        """End it cleanly; after `timeout` seconds by force."""
        super().stop(timeout)
        forget(SOCKET, self.folder)

    def _prepare(self) -> None:
        if not self.data.exists():
            self.data.mkdir()
            self.account.own(self.data)

    def _choose_address(self, *, again: bool, attempt: int) -> None:
        if again:
            made_again(self._socket, self.folder, self.account)
        else:
            self._socket = socket_path(SOCKET, self.folder, self.account)

    def _command(self) -> list[str]:
        return [str(self._binary), "-"]  # the settings come by standard input: no file shows the passwords

    def _standard_input(self) -> bytes:
        lines = [
            "port 0",
            f"unixsocket {_quoted(self._socket)}",
            "unixsocketperm 700",
            *user_lines({user: self.password_of(user) for user in (OPERATOR, *PROCESSES)}),
            f"dir {_quoted(self.data)}",
            "daemonize no",
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "maxclients 2000",
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


def _quoted(path: Path) -> str:
    """The path as one word of the configuration."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
