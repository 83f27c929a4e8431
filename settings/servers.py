"""The sections of the two servers, which may be ours or run by others."""

from __future__ import annotations

from dataclasses import dataclass

from settings.fields import number, secret


@dataclass(frozen=True)
class Database:
    """PostgreSQL; an empty url means the embedded server. Once loaded, each url has its password in it.

    Three roles: `url` is that of the processes, which own nothing; where the two others are empty it is theirs, too.
    """

    url: str = secret("postgresql")
    password: str = secret()
    owner_url: str = secret("postgresql")
    owner_password: str = secret()
    reader_url: str = secret("postgresql")
    reader_password: str = secret()
    pool_size: int = number(16, 1, 500)
    statement_timeout_ms: int = number(5_000, 100, 600_000)

    @property
    def owner(self) -> str:
        """The url of the role that owns the tables and migrates them."""
        return self.owner_url or self.url

    @property
    def reader(self) -> str:
        """The url of the role that may only read."""
        return self.reader_url or self.url


@dataclass(frozen=True)
class Redis:
    """Redis or Valkey; an empty url means the embedded server. Once loaded, the url has the password in it."""

    url: str = secret("redis")
    password: str = secret()
    timeout_ms: int = number(500, 50, 60_000)
