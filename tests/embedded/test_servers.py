"""Given settings, when both servers are started, then PostgreSQL has room for the pools of every process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from embedded.servers import Servers
from settings.connections import connections_of
from settings.processes import Web
from settings.sections import Redis, Settings


@pytest.mark.parametrize("processes", [1, 32])
def test_ordinary_users_have_as_many_connections_as_may_be_opened(
    make_server_folder: Callable[[], Path], processes: int
) -> None:
    settings = replace(Settings(), web=Web(processes=processes), redis=Redis(url="redis://127.0.0.1:1/0"))
    with (
        Servers(settings, make_server_folder()) as servers,
        psycopg.connect(servers.settings.database.url) as connection,
    ):
        most, reserved = (
            int(connection.execute(f"SHOW {name}").fetchone()[0])  # type: ignore[arg-type,index]
            for name in ("max_connections", "superuser_reserved_connections")
        )
    assert most - reserved == connections_of(settings).total
