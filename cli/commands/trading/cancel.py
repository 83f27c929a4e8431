"""`minex cancel`: cancel orders from the terminal."""

from __future__ import annotations

import json

import rich_click as click

from cli.exits import USAGE
from cli.terminal import CommandError, counted, say
from cli.trade.caller import for_broker
from client import Exchange

WAIT_SECONDS = 5


@click.command()
@click.argument("orders", nargs=-1, type=click.IntRange(1), metavar="[ORDER]...")
@click.option("--all", "every", is_flag=True, help="All orders that work.")
@click.option("--symbol", help="With --all: of one stock.")
@for_broker
def command(orders: tuple[int, ...], every: bool, symbol: str | None, exchange: Exchange, as_json: bool) -> None:
    """Cancel orders by their numbers, or all of them. One that has ended already is no error."""
    if bool(orders) == every or (symbol and not every):
        raise CommandError(
            "Say which orders: their numbers, or --all.", "minex orders", "minex cancel --all", exit_code=USAGE
        )
    if every:
        cancelled = exchange.cancel_orders(symbol.upper() if symbol else None)
    else:
        cancelled = sum(1 for order in orders if exchange.cancel_order(order, wait=WAIT_SECONDS))
    if as_json:
        click.echo(json.dumps({"cancelled": cancelled}))
    elif every:
        say(f"{counted(cancelled, 'order')} cancelled")
    else:
        say(f"{counted(cancelled, 'order')} will not trade any more")
