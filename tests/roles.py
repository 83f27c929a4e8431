"""The roles that the processes of a story work as: those of production, with one password for all of them."""

from __future__ import annotations

import re
from dataclasses import replace

from cli.local.prepare import bring_schema
from embedded.postgres import ADMINISTRATOR, PostgresServer
from embedded.postgres_roles import OWNER, PROCESS, READER, ROLES
from machine.secret import write_private
from settings.sections import Settings


def with_one_password(server: PostgresServer) -> PostgresServer:
    """The server, not yet started, whose roles will have the administrator's password: from one url come the others."""
    for role in ROLES:
        write_private(server.folder / f"{role.removeprefix('minex_')}-password", server.password)
    return server


def as_role(url: str, role: str = ADMINISTRATOR) -> str:
    """The url for another role of such a server: one of `embedded.postgres_roles.ROLES`, or the administrator."""
    return re.sub(r"//\w+:", f"//{role}:", url, count=1)


def three_roles(url: str) -> dict[str, str]:
    """The keys of `[database]` that name the roles, from the administrator's url."""
    return {"url": as_role(url, PROCESS), "owner_url": as_role(url, OWNER), "reader_url": as_role(url, READER)}


def with_roles(settings: Settings, url: str) -> Settings:
    """The settings with these three roles."""
    return replace(settings, database=replace(settings.database, **three_roles(url)))  # type: ignore[arg-type]


def bring_newest(url: str) -> None:
    """The newest schema, with the rights of a sandbox, in a database that has been handed over."""
    settings = Settings()
    bring_schema(with_roles(replace(settings, exchange=replace(settings.exchange, debug=True)), url))
