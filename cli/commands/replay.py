"""`minex replay`: real order flow, from a LOBSTER message file, through a running exchange over REST."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import rich_click as click
from rich.console import Console
from rich.progress import track

from cli.exits import FAILED, NOT_RUNNING
from cli.local.demo import known_keys
from cli.local.run_state import running
from cli.order_flow import lobster
from cli.order_flow.exchange_client import ExchangeClient
from cli.order_flow.lobster_messages import BadMessage, Message, read_file
from cli.order_flow.replay_flow import Flow, Outcome
from cli.order_flow.replay_report import figures, shown
from cli.terminal import CommandError, say
from database.session import connect, transaction
from embedded.folder import data_folder
from settings.loading import load_settings


@click.command("replay")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--url", help="Address of the exchange; by default the one that runs here.")
@click.option("--maker-key", help="API key of the broker whose orders rest; by default the first demo broker's.")
@click.option("--taker-key", help="API key of the broker who takes; by default the second demo broker's.")
@click.option("--symbol", help="The stock; by default what the file's name begins with, such as AAPL.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON.")
@click.option("--no-verify", is_flag=True, help="Leave the check of the books out.")
def command(
    file: Path,
    url: str | None,
    maker_key: str | None,
    taker_key: str | None,
    symbol: str | None,
    as_json: bool,
    no_verify: bool,
) -> int:
    """Send a LOBSTER message file through a running exchange.

    Every execution of the file is sent as an immediate-or-cancel order; the report says how many of them hit the very
    order, at the price and for the size, that they hit on the real market. The file counts prices in 1/10,000; they
    become cents.

    Left-over orders of the resting broker in that stock are cancelled first. Ends with status 1 if an execution
    missed or the books do not balance.
    """
    url, maker_key, taker_key = _where(url, maker_key, taker_key)
    symbol = symbol or file.name.replace("_", "-").split("-")[0].split(".")[0].upper()
    messages = _read(file)
    flow = Flow(ExchangeClient(url, maker_key), ExchangeClient(url, taker_key), symbol)
    flow.prepare()
    for step in track(
        list(lobster.translate(messages)),
        description=f"{symbol}",
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    ):
        flow.send(step)
    outcome = flow.finish()
    report = figures(outcome)
    broken = None if no_verify else _verify()
    if broken is not None:
        report["verify"] = "clean" if not broken else "broken"
    click.echo(json.dumps(report) if as_json else shown(symbol, report))
    for line in broken or ():
        say(f"✗ {line}")
    return FAILED if broken or not _all_met(outcome) else 0


def _where(url: str | None, maker_key: str | None, taker_key: str | None) -> tuple[str, str, str]:
    """The exchange and the two brokers' keys, as given or as the running demo has them."""
    if url and maker_key and taker_key:
        return url, maker_key, taker_key
    folder = data_folder(load_settings())
    state, demo = running(folder), known_keys(folder)
    if not url and (state is None or not state.url):
        raise CommandError("Minex is not running here.", "minex up", exit_code=NOT_RUNNING)
    if not (maker_key and taker_key) and (demo is None or len(demo.brokers) < 2):
        raise CommandError(
            "There are no demo brokers here; name two brokers.", "minex replay FILE --maker-key … --taker-key …"
        )
    keys = [broker.api_key for broker in demo.brokers] if demo else ["", ""]
    return url or (state.url if state else ""), maker_key or keys[0], taker_key or keys[1]


def _read(file: Path) -> list[Message]:
    try:
        messages = read_file(file)
    except BadMessage as wrong:
        raise CommandError(f"{file}: {wrong}") from None
    if not messages:
        raise CommandError(f"{file}: there is no order in it")
    return messages


def _all_met(outcome: Outcome) -> bool:
    return outcome.met == outcome.executions


def _verify() -> list[str] | None:
    """What `minex verify` finds broken in the exchange that runs here; None where its database is not known."""
    from services.verify import verify  # noqa: PLC0415 - only a replay that ends needs it

    settings = load_settings()
    state = running(data_folder(settings))
    url = settings.database.url or (state.database_url if state else "")
    if not url:
        return None
    engine = connect(url, pool_size=1, application="minex-replay")
    try:
        with transaction(engine) as session:
            report = verify(session, replay=False)
    finally:
        engine.dispose()
    return [str(finding) for check in report.checks for finding in check.findings]
