"""`minex watch`: one stock's book and trades, as they change."""

from __future__ import annotations

import json
import sys
from typing import Any

import rich_click as click

from cli.exits import USAGE
from cli.terminal import CommandError
from cli.trade.caller import for_broker
from client import Exchange, Follower


@click.command()
@click.argument("symbol")
@for_broker
def command(symbol: str, exchange: Exchange, as_json: bool) -> None:
    """Watch a stock: its book as a ladder, with your own orders in it, and its trades.

    With --json every event is printed as it comes, one a line. Q or Ctrl+C ends it.
    """
    stock = exchange.stock(symbol.upper())
    if as_json:
        _print_events(exchange, stock["symbol"])
        return
    if not sys.stdout.isatty():
        raise CommandError("There is no terminal to draw in.", f"minex watch {symbol} --json", exit_code=USAGE)
    from cli.trade.watching import Watching  # noqa: PLC0415 - textual takes a third of a second

    Watching(exchange, stock).run()


def _print_events(exchange: Exchange, symbol: str) -> None:
    def tell(event: str, payload: dict[str, Any]) -> None:
        click.echo(json.dumps({"event": event, "payload": payload}))

    Follower(exchange, [f"book:{symbol}", f"stock:{symbol}"], tell=tell).run()
