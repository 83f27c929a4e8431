"""Which ports the exchange listens on, and who holds one that is taken."""

from __future__ import annotations

import dataclasses

import psutil

from cli.terminal import CommandError
from embedded.ports import is_free, next_free_port
from settings.sections import Settings

FIRST_PORT = 8000
"""Where port 0 begins to look."""


def with_free_ports(settings: Settings, port: int | None) -> Settings:
    """The settings with the ports to listen on. Raises CommandError if the one that was asked for is taken.

    `port` is that of the command line: REST gets it, Socket.IO the next free one above it. Without it both come from
    the settings. Socket.IO steps aside when its port is taken, because nobody has to know it by heart.
    """
    web = settings.web.port if port is None else port
    if web == 0:
        web = next_free_port(FIRST_PORT, settings.web.host)
    else:
        _must_be_free(web, settings.web.host)
    live = settings.live.port if port is None and settings.live.port else web + 1
    live = next_free_port(live, settings.live.host, without=frozenset({web}))
    return dataclasses.replace(
        settings,
        web=dataclasses.replace(settings.web, port=web),
        live=dataclasses.replace(settings.live, port=live),
    )


def _must_be_free(port: int, host: str) -> None:
    try:
        if is_free(port, host):
            return
    except PermissionError as error:
        raise CommandError(f"Port {port} is for root only.", f"minex up --port {FIRST_PORT}") from error
    free = next_free_port(port + 1, host)
    raise CommandError(f"Port {port} is taken by {holder_of(port)}.", f"minex up --port {free}", "minex doctor")


def holder_of(port: int) -> str:
    """Who listens on the port, in words: `python (pid 4121)` where we may know it."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:  # macOS tells it to root only
        return "another program"
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
            try:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
            except psutil.Error:
                break
    return "another program"
