"""`minex order`: place an order from the terminal."""

from __future__ import annotations

import json
from typing import Any

import rich_click as click

from cli.exits import DONE, REFUSED, USAGE
from cli.terminal import CommandError
from cli.trade.caller import for_broker
from cli.trade.prices import Price, cents_of
from cli.trade.shown import order_line
from client import Exchange

EXAMPLE = "minex order buy PETR4 100 @ 35.00"


@click.command()
@click.argument("side", type=click.Choice(["buy", "sell", "bid", "ask"], case_sensitive=False))
@click.argument("symbol")
@click.argument("quantity", type=click.IntRange(1))
@click.argument("price", nargs=-1, metavar="[@] [PRICE]")
@click.option("--stop", type=Price(), help="Wait until the stock trades at this price.")
@click.option(
    "--tif", type=click.Choice(["gtc", "day", "ioc", "fok", "gtd"]), help="How long it works; until it is cancelled."
)
@click.option("--until", help="When a gtd order ends: 2026-12-31T17:00:00Z.")
@click.option("--display", type=click.IntRange(1), help="Show only so many shares of it at a time.")
@click.option("--post-only", is_flag=True, help="Never take: refuse it where it would trade at once.")
@click.option("--id", "client_order_id", help="Your own name for it; the same again is the same order.")
@click.option("--document", help="The customer for whom it is.")
@click.option("--wait", type=click.IntRange(0, 10), default=5, show_default=True, help="Seconds to wait for the match.")
@for_broker
def command(
    side: str, symbol: str, quantity: int, price: tuple[str, ...], exchange: Exchange, as_json: bool, **options: Any
) -> int:
    """Place an order: minex order buy PETR4 100 @ 35.00

    Without a price it is a market order. Exit code 4 if the exchange refuses it, or the book rejects it.
    """
    wanted = {
        "stop_price": options["stop"],
        "order_type": "stop_limit" if options["stop"] and price else None,
        "time_in_force": options["tif"],
        "valid_until": options["until"],
        "display_quantity": options["display"],
        "post_only": options["post_only"] or None,
        "client_order_id": options["client_order_id"],
        "document_number": options["document"],
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    order: Any = exchange.place_order(
        "bid" if side.lower() in ("buy", "bid") else "ask",
        symbol,
        quantity,
        _cents(price),
        wait=options["wait"],
        **given,
    )
    if "quantity" not in order:
        order = exchange.order(order["order_id"])
    click.echo(json.dumps(order) if as_json else order_line(order))
    return REFUSED if order["status"] == "rejected" else DONE


def _cents(words: tuple[str, ...]) -> int | None:
    """The price of `@ 35.00`, `@35.00` or `35.00`; None where there is none."""
    text = "".join(words).removeprefix("@")
    if not text:
        if words:
            raise CommandError("A price is missing after @.", EXAMPLE, exit_code=USAGE)
        return None
    try:
        return cents_of(text)
    except ValueError as error:
        raise CommandError(f"{' '.join(words)!r} is no price: expected {error}.", EXAMPLE, exit_code=USAGE) from error
