"""`minex verify`: what must always be true, looked at on the running exchange."""

from __future__ import annotations

import dataclasses
import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import rich_click as click

from cli.exits import DONE, FAILED
from cli.local.database import must_serve
from cli.local.run_state import database_of
from cli.options import Secret, data_folder_option, settings_for
from cli.terminal import coloured, counted, fitted, say, width_of
from database.session import connect, transaction
from services.timestamps import timestamp
from services.verify import Check, Report, verify
from settings.urls import POSTGRESQL, completed, is_url_of

LINE = "{mark} {number}  {title:<{width}}  {rows:>12}  {broken:>8}  {seconds:>8}"
"""One invariant in the table: fixed columns, so that each line can be shown as soon as it is known."""

TITLE_WIDTH = 52
OTHER_COLUMNS = 39
"""What the columns beside the title take."""

LEAST_TITLE = 12


@click.command()
@click.option("--replay", is_flag=True, help="Also feed the journal to a fresh engine, and compare every trade.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.option(
    "--database-url",
    type=Secret(),
    metavar="URL",
    help="Another database than that of the running exchange; @FILE or MINEX_DATABASE_URL keep a password unseen.",
)
@data_folder_option
def command(replay: bool, as_json: bool, database_url: str | None, data_folder: Path | None) -> int:
    """Check the books: what must always be true.

    Looks at one snapshot of the database while trading goes on, and names every row that is not as it must be.
    Exit code 1 if there is one.
    """
    if database_url is not None and not is_url_of(database_url, POSTGRESQL):
        raise click.BadParameter(
            "it must be like postgresql://user:password@host:5432/name", param_hint="'--database-url'"
        )
    url = completed(database_url, "") if database_url else database_of(settings_for(data_folder))
    report = _verified(url, replay, show=not as_json)
    if as_json:
        click.echo(json.dumps(_document(report), indent=2))
    else:
        _show_verdict(report)
    return DONE if report.clean else FAILED


def _verified(url: str, replay: bool, show: bool) -> Report:
    must_serve(url, "read")
    engine = connect(url, pool_size=1, application="minex-verify")
    try:
        with transaction(engine) as session:
            return verify(session, replay, _show_check if show else None)
    finally:
        engine.dispose()


def _show_check(check: Check) -> None:
    """One line of the table, and the rows that break the invariant below it, as wide as the terminal at most."""
    columns = width_of(sys.stdout)
    width = max(LEAST_TITLE, min(TITLE_WIDTH, columns - OTHER_COLUMNS))
    if check.number == 1:
        heads = {"number": "#", "title": "invariant", "rows": "rows", "broken": "findings", "seconds": "seconds"}
        click.echo(LINE.format(mark=" ", width=width, **heads))
    mark = coloured("✗", "red", sys.stdout) if check.broken else coloured("✓", "green", sys.stdout)
    click.echo(
        LINE.format(
            mark=mark,
            number=check.number,
            title=fitted(check.title, width),
            width=width,
            rows=f"{check.rows:,}",
            broken=f"{check.broken:,}",
            seconds=f"{check.seconds:.2f}",
        )
    )
    for finding in check.findings:
        click.echo(textwrap.fill(str(finding), columns, initial_indent="     ", subsequent_indent="       "))
    if check.broken > len(check.findings):
        click.echo(f"     … and {check.broken - len(check.findings):,} more")


def _show_verdict(report: Report) -> None:
    seconds = sum(check.seconds for check in report.checks)
    moment = f"as of {timestamp(report.taken_at)}, in {seconds:.1f} s"
    if not report.clean:
        say(f"{coloured('✗', 'red', sys.stderr)} {counted(report.broken, 'finding')} {moment}")
        return
    say(f"{coloured('✓', 'green', sys.stderr)} Everything that must be true is, {moment}")
    if not report.replayed:
        say("  The journal was not replayed: minex verify --replay")


def _document(report: Report) -> dict[str, Any]:
    """The report for programs; what is found and expected is text, because it may be more than a number."""
    return {
        "clean": report.clean,
        "taken_at": timestamp(report.taken_at),
        "replayed": report.replayed,
        "invariants": [dataclasses.asdict(check) for check in report.checks],
    }
