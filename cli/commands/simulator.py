"""`minex simulator`: a market that lives, at any exchange."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import rich_click as click

from cli.local.demo.stocks import STOCKS
from cli.local.run_state import exchange_at
from cli.order_flow.api_key_option import ApiKey
from cli.refusals import told
from cli.simulation.brokers import brokers_of, keys_here, register_by_admin
from cli.terminal import CommandError, say
from logs import start_logging
from settings.loading import load_settings
from simulator import NothingToTrade, Plan, Simulation
from workers.stopping import stopped_by_signals

TAG = "cmd"
"""What the client_order_ids of its orders begin with; those of the exchange's own simulator are others."""

TELL_SECONDS = 10.0


class Stocks(click.ParamType[tuple[str, ...]]):
    """Symbols with commas between them."""

    name = "symbols"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The symbols. Fails where there are none."""
        if isinstance(value, tuple):
            return value
        symbols = tuple(dict.fromkeys(word.strip().upper() for word in str(value).split(",") if word.strip()))
        if not symbols:
            self.fail("no symbol is in it", param, ctx)
        return symbols


@click.command()
@click.option("--url", envvar="MINEX_URL", show_envvar=True, help="The exchange; by default the one that runs here.")
@click.option("--rate", type=click.FloatRange(0.01, 10_000), help="Orders and cancels a second, of all stocks.")
@click.option("--stocks", type=Stocks(), help="Symbols, with commas between them; by default the demo's.")
@click.option("--seed", type=click.IntRange(0), help="Of its dice.")
@click.option("--speed", type=click.FloatRange(0.01, 1_000), default=1.0, show_default=True, help="Times real time.")
@click.option("--seconds", type=click.FloatRange(0.1), help="End after so many; by default with Ctrl+C.")
@click.option("--makers-key", type=ApiKey(), help="API key of the broker for whom the market makers trade.")
@click.option("--people-key", type=ApiKey(), help="API key of the broker for whom all others trade.")
@click.option("--json", "as_json", is_flag=True, help="Print what it has done as JSON at the end, for programs.")
def command(seconds: float | None, as_json: bool, **options: Any) -> None:
    """Trade as a whole market does: makers, people, trend followers, and news.

    It goes by REST and the streams, as everybody does. At the exchange that runs here it trades for the simulator's
    own brokers, whether that exchange has a simulator of its own or not. Elsewhere name two brokers by their keys
    (MINEX_SIMULATOR_MAKERS_KEY and MINEX_SIMULATOR_PEOPLE_KEY, or @FILE), or let the administrator's key
    (MINEX_ADMIN_KEY) register two that may owe both. At the end its orders are cancelled.

    With --speed 10 an hour of the market passes in six minutes.
    """
    settings = load_settings()
    start_logging(settings.log)
    simulator = settings.simulator
    url, is_here = exchange_at(settings, options["url"])
    symbols = options["stocks"] or simulator.stocks or tuple(STOCKS)
    keys = brokers_of(options["makers_key"] or simulator.makers_key, options["people_key"] or simulator.people_key)
    plan = Plan(
        symbols=symbols,
        rate=options["rate"] or simulator.rate,
        seed=simulator.seed if options["seed"] is None else options["seed"],
        clustering=simulator.clustering / 100,
        speed=options["speed"],
    )
    with told():
        if not keys and settings.exchange.admin_key and not is_here:
            keys = register_by_admin(url, settings.exchange.admin_key)
        keys = keys or keys_here(settings, symbols, is_here=is_here)
        say(f"{plan.rate:g} orders and cancels a second at {url}, seed {plan.seed}  (Ctrl+C ends it)")
        simulation = Simulation(url, keys, plan, TAG)
        began = time.monotonic()
        _run(simulation, seconds)
    lasted = time.monotonic() - began
    if as_json:
        click.echo(json.dumps({"seconds": round(lasted, 3), "sent": simulation.sent, "seed": plan.seed}))


def _run(simulation: Simulation, seconds: float | None) -> None:
    stopped = stopped_by_signals()
    ends = None if seconds is None else threading.Timer(seconds, stopped.set)
    if ends is not None:
        ends.daemon = True
        ends.start()
    told_at = began = time.monotonic()

    def note() -> None:
        nonlocal told_at
        if time.monotonic() - told_at >= TELL_SECONDS:
            told_at = time.monotonic()
            say(f"{told_at - began:,.0f} s: {simulation.sent:,} orders and cancels")

    try:
        simulation.run(stopped, note)
    except NothingToTrade as reason:
        raise CommandError(f"There is nothing to trade: {reason}", "minex simulator --stocks SYMBOL,…") from reason
    finally:
        if ends is not None:
            ends.cancel()
    say(f"cancelled {simulation.cancel_all():,} orders; sent {simulation.sent:,} orders and cancels in all")
