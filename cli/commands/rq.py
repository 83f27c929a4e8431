"""`minex rq`: RQ's own commands on the Redis of the exchange."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import rich_click as click

from cli.local.run_state import connected
from cli.options import data_folder_option, settings_for
from settings.loading import ROOT, variables_of


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False, "help_option_names": []}
)
@data_folder_option
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(data_folder: Path | None, arguments: tuple[str, ...]) -> NoReturn:
    """Call RQ (`info`, `suspend`, `resume` …) as the operator of the Redis that the exchange uses.

    The address goes by the environment: it has a password in it.
    """
    settings = connected(settings_for(data_folder))
    own = variables_of(settings) | {"RQ_REDIS_URL": settings.redis.url, "PYTHONPATH": str(ROOT)}
    os.execve(sys.executable, [sys.executable, "-m", "rq.cli", *arguments], os.environ | own)  # noqa: S606
