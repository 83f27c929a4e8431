"""`minex positions`: what one holds, and what it is worth."""

from __future__ import annotations

import json

import rich_click as click

from cli.trade.caller import for_broker
from cli.trade.shown import position_table
from client import Exchange


@click.command()
@for_broker
def command(exchange: Exchange, as_json: bool) -> None:
    """Show your shares and your cash, with what they cost and are worth."""
    portfolio = exchange.portfolio()
    click.echo(json.dumps(portfolio) if as_json else position_table(portfolio))
