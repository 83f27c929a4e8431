"""`minex orders`: one's orders, in a table."""

from __future__ import annotations

import json

import rich_click as click

from cli.terminal import say
from cli.trade.caller import for_broker
from cli.trade.shown import order_table
from client import Exchange


@click.command()
@click.option("--all", "every", is_flag=True, help="Also those that work no longer.")
@click.option("--symbol", help="Of one stock.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="So many of the newest.")
@for_broker
def command(every: bool, symbol: str | None, limit: int, exchange: Exchange, as_json: bool) -> None:
    """Show your orders that work, newest first."""
    orders = list(exchange.orders(status=None if every else "open", symbol=symbol, limit=limit))
    if as_json:
        click.echo(json.dumps(orders))
    elif orders:
        click.echo(order_table(orders))
    else:
        say("No orders." if every else "No orders work.  minex orders --all shows the others.")
