"""`minex replay`: real order flow, from a LOBSTER message file, through a running exchange over REST."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import rich_click as click
from rich.console import Console
from rich.progress import track

from cli.exits import FAILED
from cli.local.demo.keys import known_keys
from cli.local.replay_stage import fund_here, list_here
from cli.local.run_state import exchange_at, running
from cli.order_flow import lobster, replay_scene
from cli.order_flow.api_key_option import ApiKey
from cli.order_flow.lobster import MAKER, TAKER, Step
from cli.order_flow.lobster_messages import BadMessage, Message, read_file
from cli.order_flow.patience import patient_exchange
from cli.order_flow.replay_flow import Flow, Outcome
from cli.order_flow.replay_report import figures, shown
from cli.refusals import told
from cli.terminal import CommandError, say
from database.session import connect, transaction
from embedded.folder import data_folder
from settings.loading import load_settings
from settings.sections import Settings


@dataclass(frozen=True)
class Where:
    """The exchange, its database where that is known, and the two brokers' keys by account, empty where not given."""

    url: str
    database_url: str
    keys: dict[str, str]
    demo: frozenset[str] = frozenset()
    """The accounts whose keys are those of demo brokers."""


@click.command("replay")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--url", help="Address of the exchange; by default the one that runs here.")
@click.option(
    "--maker-key",
    type=ApiKey(),
    envvar="MINEX_MAKER_KEY",
    show_envvar=True,
    help="Key of the broker whose orders rest; by default the first demo broker's.",
)
@click.option(
    "--taker-key",
    type=ApiKey(),
    envvar="MINEX_TAKER_KEY",
    show_envvar=True,
    help="Key of the broker who takes; by default the second demo broker's.",
)
@click.option("--symbol", help="The stock; by default what the file's name begins with, such as AAPL.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON, for programs.")
@click.option("--no-verify", is_flag=True, help="Do not check the books afterwards.")
def command(
    file: Path,
    url: str | None,
    maker_key: str | None,
    taker_key: str | None,
    symbol: str | None,
    as_json: bool,
    no_verify: bool,
) -> int:
    """Send a LOBSTER message file (.csv, .csv.gz) through a running exchange.

    Every execution of the file is sent as an immediate-or-cancel order; the report says how many of them hit the very
    order, at the price and for the size, that they hit on the real market. The file counts prices in 1/10,000; they
    become cents.

    Left-over orders of the two brokers in that stock are cancelled first. For the demo brokers of the exchange that
    runs here a missing stock is listed, and they get the money and shares that they lack. Elsewhere the
    administrator's key does it (MINEX_ADMIN_KEY): the stock is listed, and two brokers are registered unless their
    keys are given. Give a key as a variable or as @FILE: other users of this machine see the arguments of a command.

    Where the exchange has limits or is busy (429, 503), a request waits and is sent again, for a minute at most.

    Ends with status 1 if an execution missed or the books do not balance.
    """
    settings = load_settings()
    symbol = replay_scene.symbol_of(symbol, file)
    steps = list(lobster.translate(_read(file)))
    where = _where(settings, url, {MAKER: maker_key or "", TAKER: taker_key or ""})
    with told():
        flow = _set_scene(settings, where, symbol, steps)
        flow.prepare(steps)
        for step in track(steps, description=symbol, console=Console(stderr=True), disable=not sys.stderr.isatty()):
            flow.send(step)
        outcome = flow.finish()
    report = figures(outcome)
    broken = None if no_verify else _verify(where.database_url)
    if broken is not None:
        report["verify"] = "clean" if not broken else "broken"
    click.echo(json.dumps(report) if as_json else shown(symbol, report))
    for line in broken or ():
        say(f"✗ {line}")
    return FAILED if broken or not _all_met(outcome) else 0


def _where(settings: Settings, url: str | None, keys: dict[str, str]) -> Where:
    """The exchange and its brokers, as given or as they are known of the one that runs here. Raises CommandError."""
    folder = data_folder(settings)
    address, is_here = exchange_at(settings, url)
    state, demo = running(folder), known_keys(folder)
    where = Where(address, settings.database.url or (state.database_url if state is not None and is_here else ""), keys)
    if all(keys.values()) or (settings.exchange.admin_key and not is_here):
        return where
    if demo is None or len(demo.brokers) < 2:
        if settings.exchange.admin_key:
            return where
        raise CommandError(
            "There are no demo brokers here; name two brokers, or let the administrator's key register them.",
            "MINEX_MAKER_KEY=… MINEX_TAKER_KEY=… minex replay FILE",
            replay_scene.WITH_ADMIN_KEY,
        )
    demo_keys = {account: broker.api_key for account, broker in zip(keys, demo.brokers, strict=False)}
    missing = frozenset(account for account in keys if not keys[account])
    chosen = {account: keys[account] or demo_keys[account] for account in keys}
    return replace(where, keys=chosen, demo=missing if is_here else frozenset())


def _set_scene(settings: Settings, where: Where, symbol: str, steps: Sequence[Step]) -> Flow:
    """The flow, with the stock listed and the brokers registered or funded where that may be done from here.

    Raises what the client raises, and CommandError, which says what is missing and what helps.
    """
    keys = dict(where.keys)
    admin = patient_exchange(where.url, settings.exchange.admin_key) if settings.exchange.admin_key else None
    for account, key in where.keys.items():
        if not key and admin is not None:
            keys[account] = replay_scene.register_by_admin(admin, f"Replay {account}")
            say(f"registered a broker, Replay {account}")
    maker, taker = (patient_exchange(where.url, keys[account]) for account in (MAKER, TAKER))
    if not replay_scene.is_listed(maker, symbol):
        if admin is not None:
            replay_scene.list_by_admin(admin, symbol)
        elif where.demo and where.database_url:
            list_here(where.database_url, settings, symbol)
        else:
            raise replay_scene.not_listed(symbol)
        say(f"listed {symbol}")
    if where.demo and where.database_url:
        needs = {keys[account]: need for account, need in replay_scene.needs_of(steps).items() if account in where.demo}
        if fund_here(where.database_url, symbol, needs):
            say("deposited the money and shares that the demo brokers lacked")
    return Flow(maker, taker, symbol)


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


def _verify(database_url: str) -> list[str] | None:
    """The findings of `minex verify`, a line each; None where the database of the exchange is not known."""
    from services.verify import verify  # noqa: PLC0415 - only a replay that ends needs it

    if not database_url:
        return None
    engine = connect(database_url, pool_size=1, application="minex-replay")
    try:
        with transaction(engine) as session:
            report = verify(session, replay=False)
    finally:
        engine.dispose()
    return [str(finding) for check in report.checks for finding in check.findings]
