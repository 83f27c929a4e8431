"""Both embedded servers as the settings ask for them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Self

from embedded.folder import data_folder, servers_folder
from embedded.postgres import DATABASE, PostgresServer
from embedded.postgres_roles import OWNER, PROCESS, READER
from embedded.postgres_settings import RESERVED_CONNECTIONS
from embedded.server import Server
from embedded.valkey import ValkeyServer
from settings.connections import connections_of
from settings.sections import Settings


class Servers:
    """Starts PostgreSQL and Valkey where no url is given; what is given is left alone."""

    def __init__(self, settings: Settings, folder: Path | None = None) -> None:
        """`folder`: the data folder; by default that of the settings."""
        self.given = settings
        self.folder = folder or data_folder(settings)
        self.postgres: PostgresServer | None = None
        self.valkey: ValkeyServer | None = None

    @property
    def running(self) -> dict[str, Server]:
        """The servers that are ours, by name, in the order of their start."""
        servers: dict[str, Server | None] = {"postgres": self.postgres, "valkey": self.valkey}
        return {name: server for name, server in servers.items() if server is not None}

    def start(self) -> Settings:
        """Start what is missing; the settings with the urls filled in. Raises EmbeddedServerError."""
        logs = self.folder / "log"
        try:
            if not self.given.database.url and self.postgres is None:
                place = servers_folder(self.folder) / "postgres"
                own = {"max_connections": str(connections_of(self.given).total + RESERVED_CONNECTIONS)}
                self.postgres = PostgresServer(place, settings=own, log_file=logs / "postgres.log").start()
            if not self.given.redis.url and self.valkey is None:
                place = servers_folder(self.folder) / "valkey"
                self.valkey = ValkeyServer(place, log_file=logs / "valkey.log").start()
        except BaseException:
            self.stop()
            raise
        return self.settings

    @property
    def settings(self) -> Settings:
        """The settings with the urls of the started servers, as the operator uses them."""
        settings = self.given
        if self.postgres is not None:
            process, owner, reader = (self.postgres.url_of(DATABASE, role) for role in (PROCESS, OWNER, READER))
            database = dataclasses.replace(settings.database, url=process, owner_url=owner, reader_url=reader)
            settings = dataclasses.replace(settings, database=database)
        if self.valkey is not None:
            settings = dataclasses.replace(settings, redis=dataclasses.replace(settings.redis, url=self.valkey.url))
        return settings

    @property
    def redis_urls(self) -> dict[str, str]:
        """Redis as each kind of process ("web") uses it, where it is ours."""
        return self.valkey.urls if self.valkey is not None else {}

    def settings_of(self, process: str) -> Settings:
        """The same for one kind of process, as a user of its own where that is possible."""
        settings = self.settings
        url = self.redis_urls.get(process, settings.redis.url)
        return dataclasses.replace(settings, redis=dataclasses.replace(settings.redis, url=url))

    def stop(self, timeout: float = 10.0) -> None:
        """Stop what was started, PostgreSQL last. `timeout`: seconds for each."""
        for server in reversed(self.running.values()):
            server.stop(timeout)
        self.postgres = self.valkey = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
