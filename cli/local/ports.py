"""The sockets that the exchange listens on, opened before anything else starts, and who holds a port that is taken."""

from __future__ import annotations

import dataclasses
import errno
import socket

import psutil

from cli.terminal import CommandError
from machine.ports import listener, next_free_port
from settings.processes import Live, Web
from settings.sections import Settings
from settings.urls import server_url

FIRST_PORT = 8000
"""Where port 0 begins to look."""

LAST_PORT = 65_535


def listening(settings: Settings, port: int | None) -> tuple[Settings, dict[str, socket.socket]]:
    """The settings with the ports that are listened on from now on, and the sockets of web and live by these names.

    Whoever starts them hands the sockets down. Nobody else can get the port in between, however many exchanges start
    at the same moment, and what answers there is one's own process. Raises CommandError if the port that was asked
    for is taken.

    `port` is that of the command line: REST gets it, Socket.IO the next free one above it. Without it both come from
    the settings. Socket.IO steps aside when its port is taken, because nobody has to know it by heart.
    """
    wanted = settings.web.port if port is None else port
    web = _first_free(FIRST_PORT, settings.web) if wanted == 0 else _asked_for(wanted, settings.web)
    web_port = web.getsockname()[1]
    first = settings.live.port if port is None and settings.live.port else web_port + 1
    try:
        live = _first_free(first, settings.live)
    except BaseException:
        web.close()
        raise
    settings = dataclasses.replace(
        settings,
        web=dataclasses.replace(settings.web, port=web_port),
        live=dataclasses.replace(settings.live, port=live.getsockname()[1]),
    )
    return settings, {"web": web, "live": live}


def address_of(section: Web | Live) -> str:
    """`http://host:port` at which what listens there can be reached from this machine."""
    host = "127.0.0.1" if section.host in ("", "0.0.0.0", "::") else section.host  # noqa: S104 - compared, not bound
    return server_url("http", host, section.port)


def _first_free(first: int, section: Web | Live) -> socket.socket:
    """A socket on the first port from `first` on that nobody has."""
    for port in range(first, LAST_PORT + 1):
        try:
            return listener(port, section.host)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise _cannot_listen(port, section.host, error) from error
    raise CommandError(f"No port from {first} on is free.", "minex doctor")


def _asked_for(port: int, section: Web) -> socket.socket:
    try:
        return listener(port, section.host)
    except PermissionError as error:
        raise CommandError(f"Port {port} is for root only.", f"minex up --port {FIRST_PORT}") from error
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise _cannot_listen(port, section.host, error) from error
    free = next_free_port(port + 1, section.host)
    raise CommandError(f"Port {port} is taken by {holder_of(port)}.", f"minex up --port {free}", "minex doctor")


def _cannot_listen(port: int, host: str, error: OSError) -> CommandError:
    return CommandError(f"Nothing can listen on port {port} of {host} ({error.strerror}).", "minex doctor")


def holder_of(port: int) -> str:
    """The program that listens on the port, in words: `python (pid 4121)` where we may know it."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:  # macOS tells it to root only
        return "another program"
    for connection in connections:
        place = connection.laddr
        if connection.status == psutil.CONN_LISTEN and place and place.port == port and connection.pid:
            try:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
            except psutil.Error:
                break
    return "another program"
