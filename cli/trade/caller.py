"""Who trades, and where: the options that all commands of trading share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Final

import rich_click as click

from cli.exits import FAILED
from cli.local.demo.keys import DemoKeys, known_keys
from cli.local.run_state import exchange_at
from cli.order_flow.api_key_option import ApiKey
from cli.refusals import told
from cli.terminal import CommandError
from client import Exchange
from embedded.folder import data_folder
from settings.loading import load_settings

DOCUMENT: Final = "00000000191"
"""The customer for whom the terminal places orders, where none is named."""

PATIENCE_SECONDS: Final = 5.0
"""For which a call is tried again: as long as an exchange takes that starts again, and somebody looks at a terminal."""

KEY: Final = "MINEX_KEY"
URL: Final = "MINEX_URL"


def broker_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of whose name it goes by, and where: `--url`, `--key`, `--broker`."""
    for option in (
        click.option("--broker", help="A broker of the demo, by name; by default the first."),
        click.option("--key", type=ApiKey(), envvar=KEY, show_envvar=True, help="The broker's API key."),
        click.option(
            "--url", envvar=URL, show_envvar=True, help="The exchange's address; by default the one that runs here."
        ),
    ):
        command = option(command)
    return command


def for_broker(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command these options and `--json`; it is called with `exchange` and `as_json`.

    What the exchange refuses, and that nobody answers, is told as every command tells it.
    """

    @click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
    @broker_options
    @functools.wraps(command)
    def called(*arguments: Any, url: str | None, key: str | None, broker: str | None, **options: Any) -> Any:
        with told():
            return command(*arguments, exchange=exchange_of(url, key, broker), **options)

    return called


def exchange_of(url: str | None, key: str | None, broker: str | None) -> Exchange:
    """The exchange at `url`, else the one that runs here, for whoever has the key, else for a demo broker.

    Raises CommandError.
    """
    settings = load_settings()
    address, is_here = exchange_at(settings, url)
    if key is None:
        key = _demo_key(known_keys(data_folder(settings)) if is_here else None, broker)
    return Exchange(address, key, document=DOCUMENT, patience=PATIENCE_SECONDS)


def _demo_key(demo: DemoKeys | None, broker: str | None) -> str:
    if demo is None or not demo.brokers:
        raise CommandError(
            "Say for whom: there are no demo brokers here.", f"{KEY}=mx_… minex orders", exit_code=FAILED
        )
    if broker is None:
        return demo.brokers[0].api_key
    for one in demo.brokers:
        if one.name.casefold() == broker.casefold():
            return one.api_key
    names = ", ".join(one.name for one in demo.brokers)
    raise CommandError(f"There is no demo broker {broker!r}; there are {names}.")
