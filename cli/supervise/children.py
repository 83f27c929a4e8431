"""The processes of the Procfile, ready to be started: each with variables, rights and a socket of its own."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path

from cli.supervise.child import Child
from cli.supervise.heartbeats import HeartbeatWatch
from cli.supervise.log_file import Logbook
from cli.supervise.procfile import processes_of, read_procfile
from embedded.own_account import environment_of
from embedded.servers import Servers
from machine.runtime import Runtime
from settings.loading import ROOT
from settings.roles import for_process


def children_of(
    servers: Servers, runtime: Runtime, heartbeats: Path, listeners: Mapping[str, socket.socket], logbook: Logbook
) -> list[Child]:
    """None of them runs yet. `heartbeats`: the folder for their signs of life."""
    given = os.environ | {"PYTHONUNBUFFERED": "1"}
    children = []
    for process in processes_of(read_procfile(ROOT / "Procfile"), servers.settings, runtime.python):
        settings = for_process(servers.settings_of(process.kind), process.kind)
        environment = environment_of(runtime, settings, given)
        signs = HeartbeatWatch(heartbeats / process.name, runtime.account)
        listener = listeners.get(process.name)
        children.append(Child(process, environment, logbook, signs, listener, runtime.spawn_options()))
    return children
