"""`minex run`: one process of the exchange, as the Procfile and the containers call it."""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

import rich_click as click

from cli.local.demo.simulator_keys import with_simulator
from cli.local.run_state import connected
from cli.local.shared_memory import SHARED_MEMORY
from cli.local.token_secret import with_token_secret
from cli.suggesting import SuggestingGroup
from cli.terminal import CommandError, say
from embedded.own_account import environment_of
from imports import without_collection
from logs import start_logging
from machine.errors import NotOursError
from machine.runtime import runtime_of
from settings.connections import connections_of, processes_of
from settings.in_public import refuse_unsafe
from settings.loading import ROOT, listener, load_settings, variables_of
from settings.roles import KEY_HOLDERS, SIMULATOR, for_process
from settings.sections import Settings

GRACEFUL_SECONDS = 3
"""For requests that are under way at a stop; with open sockets it would otherwise take gunicorn 30."""
KEEP_ALIVE_SECONDS = 75
"""Longer than the 60 of the usual load balancers, so that it is they who close."""
NOT_OBEYED = ("GUNICORN_CMD_ARGS", "WEB_CONCURRENCY", "FORWARDED_ALLOW_IPS", "SCRIPT_NAME", "SENDFILE", "PORT")
"""Variables by which gunicorn would serve otherwise than the settings say, and believe whom they do not name."""


@click.group(cls=SuggestingGroup)
def command() -> None:
    """Run one process in the foreground. `minex up` runs them all."""


def _settings(process: str) -> Settings:
    """The settings of this kind of process.

    Without a supervisor, which would have looked, waits for the servers or refuses.
    """
    settings = load_settings()
    if process in KEY_HOLDERS:
        refuse_unsafe(settings)
    start_logging(settings.log)
    settings = for_process(connected(settings, process), process)
    if listener() is None:
        from cli.local.cache import must_let_in  # noqa: PLC0415 - gunicorn itself needs no driver
        from cli.local.database import wait_or_refuse  # noqa: PLC0415

        wait_or_refuse(settings.database.url, connections_of(settings), say)
        must_let_in(settings.redis.url, say)
    if process in KEY_HOLDERS:
        settings = _with_token_secret(settings)
    if os.geteuid() == 0:
        _leave_root(settings)
    return settings


def _with_token_secret(settings: Settings) -> Settings:
    try:
        return with_token_secret(settings)
    except (OSError, NotOursError) as error:
        log = logging.getLogger("minex")
        log.warning("nobody can log in: there is no MINEX_IDENTITY_TOKEN_SECRET, and none can be kept: %s", error)
        return settings


def _leave_root(settings: Settings) -> None:
    """Begin again under the account of the exchange, unless there is none."""
    runtime = runtime_of(ROOT)
    if runtime.warning:
        logging.getLogger("minex").warning("%s", runtime.warning)
    if runtime.account.uid is not None:
        told = {name: os.environ[name] for name in NOT_OBEYED if name in os.environ}  # it says so itself
        runtime.go_on(["-m", "cli", *sys.argv[1:]], environment_of(runtime, settings, os.environ) | told)


@command.command()
def web() -> None:
    """REST: gunicorn with a greenlet for each connection."""
    settings = _settings("web")
    own = ["--worker-class", "api.server.worker.Worker", "--workers", str(processes_of(settings.web))]
    _serve("wsgi:app", settings, settings.web.host, settings.web.port, own)


@command.command()
def live() -> None:
    """Socket.IO: one gunicorn process with gevent."""
    settings = _settings("live")
    own = ["--worker-class", "live.worker.Worker", "--workers", "1"]
    _serve("wsgi:live", settings, settings.live.host, settings.live.port, own)


@command.command()
@click.option("--group", help="The symbol group; may be left out where there is only one.")
def match(group: str | None) -> None:
    """The worker that matches one symbol group."""
    settings = _settings("match")
    groups = settings.match.groups
    if group is None and len(groups) != 1:
        raise click.UsageError(f"Say which group: {' or '.join(f'--group {name}' for name in groups)}.")
    if group is not None and group not in groups:
        raise click.UsageError(f"[match] groups ({', '.join(groups)}) does not name {group}.")
    _imported("workers.group").main(settings, group or groups[0])


@command.command()
def clock() -> None:
    """The periodic jobs: the ends of orders and sessions, and commands that nobody was woken for."""
    settings = _settings("clock")
    _imported("workers.clock").main(settings)


@command.command()
def reporter() -> None:
    """The reporter: it follows the tapes, keeps candles, and tells prices."""
    settings = _settings("reporter")
    _imported("workers.reporter").main(settings)


@command.command()
def webhooks() -> None:
    """The senders: they tell brokers' receivers of their trades."""
    settings = _settings("webhooks")
    _imported("workers.webhooks").main(settings)


@command.command()
def clearing() -> None:
    """Clearing: it judges each trade by the rules, and looks after who owes what."""
    settings = _settings("clearing")
    _imported("workers.clearing").main(settings)


@command.command()
def simulator() -> None:
    """The simulator: makers and people who trade the demo's stocks, over REST and streams as everybody does."""
    settings = load_settings()
    start_logging(settings.log)
    settings = for_process(with_simulator(settings), SIMULATOR)
    if os.geteuid() == 0:
        _leave_root(settings)
    _imported("cli.simulation.process").main(settings)


def _imported(module: str) -> Any:
    with without_collection():
        return importlib.import_module(module)


def _serve(application: str, settings: Settings, host: str, port: int, own: list[str]) -> NoReturn:
    """Become gunicorn, with the settings in the environment."""
    handed_down = listener()
    if port == 0 and handed_down is None:
        raise CommandError("A process by itself needs a port of its own.", "MINEX_WEB_PORT=8000 minex run web")
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    temporary = ["--worker-tmp-dir", str(SHARED_MEMORY)] if os.access(SHARED_MEMORY, os.W_OK) else []
    arguments = [
        *("--bind", address if handed_down is None else f"fd://{handed_down}"),
        *own,
        *("--graceful-timeout", str(GRACEFUL_SECONDS)),
        *("--keep-alive", str(KEEP_ALIVE_SECONDS)),
        *("--limit-request-line", "4094"),
        *("--limit-request-fields", "64"),
        *("--limit-request-field_size", "8190"),
        *("--forwarded-allow-ips", "", "--forwarder-headers", ""),  # no client may say who he is, or what path he asks
        *("--log-level", settings.log.level),
        *("--logger-class", "cli.local.gunicorn_log.ServerLog"),
        "--no-control-socket",
        *temporary,
    ]
    os.chdir(ROOT)  # gunicorn reads a gunicorn.conf.py of the folder it is started in
    environment = _obeyed(os.environ) | variables_of(settings) | {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
    os.execve(sys.executable, [sys.executable, "-m", "gunicorn", *arguments, application], environment)  # noqa: S606


def _obeyed(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that gunicorn gets to see; those that it does not are told in the log."""
    if found := [name for name in NOT_OBEYED if name in environment]:
        logging.getLogger("minex").warning("not obeyed: %s; the settings say how it is served", ", ".join(found))
    return {name: value for name, value in environment.items() if name not in NOT_OBEYED}
