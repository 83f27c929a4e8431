"""`minex bench`: how fast it is, next to what is to be reached."""

from __future__ import annotations

import contextlib
import json
import math
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import rich_click as click

from bench.figures import Figure
from bench.options import Options
from bench.run import PARTS, Findings, run
from cli.exits import DONE, FAILED
from cli.supervise.orphans import adopt_orphans, end_descendants
from cli.terminal import coloured, say, table
from settings.loading import load_settings


@click.command(epilog="\n\n".join(f"{name}: {what}." for name, what in PARTS.items()))
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)), metavar="[PART]…")
@click.option("--quick", is_flag=True, help="Small and short: shows that everything works, not how fast.")
@click.option("--seconds", type=click.IntRange(1, 600), help="Seconds of each load.  [default: 10]")
@click.option("--stocks", type=click.IntRange(1, 4_500), help="Listed stocks.  [default: 450]")
@click.option("--brokers", type=click.IntRange(2, 1_000), help="Brokers that send orders.  [default: 100]")
@click.option("--closed-orders", type=click.IntRange(0), help="Closed orders of the part growth.  [default: 1,000,000]")
@click.option("--clients", type=click.IntRange(1, 5_000), help="Clients of the part sockets.  [default: 1,000]")
@click.option("--waiting", type=click.IntRange(1), help="Deliveries of the part webhooks that wait.  [default: 20,000]")
@click.option("--seed", type=int, help="Seed of every random choice.  [default: 1]")
@click.option(
    "--install-peers", is_flag=True, help="Install the engines to compare with, from PyPI into a folder of their own."
)
@click.option("--find", is_flag=True, help="Let the part mixed look for the highest rate that is borne, too.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
@click.option(
    "--profile",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for py-spy profiles of the web and match processes, taken in the part rest.",
)
def command(parts: tuple[str, ...], quick: bool, as_json: bool, **given: Any) -> int:
    """Measure the exchange: each figure next to its target.

    Starts servers and data of its own and throws them away; a running exchange is left alone. After each load nothing
    may be unmatched, and `minex verify --replay` must find nothing: otherwise, or when a part breaks, the exit code
    is 1. A target that is not reached is shown and changes nothing. All parts take about twenty minutes.
    """
    settings = load_settings()
    options = Options.quick(settings) if quick else Options(settings)
    options = replace(options, **{name: value for name, value in given.items() if value is not None})
    with nothing_left():
        findings = run(list(dict.fromkeys(parts)) or list(PARTS), options, _show)
    if as_json:
        click.echo(json.dumps(findings.document(), indent=2))
    elif findings.figures:
        _show_all(findings)
    _show_troubles(findings)
    skipped_on_demand = set(parts) & set(findings.skipped)
    return DONE if findings.sound and not skipped_on_demand else FAILED


@contextlib.contextmanager
def nothing_left() -> Iterator[None]:
    """No process that was started inside the block outlives it, also when this one is asked to end."""
    adopt_orphans()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(FAILED))
    try:
        yield
    finally:
        end_descendants()


def _show(figure: Figure) -> None:
    """A figure as soon as it is known."""
    target = f"  ({_bounds(figure)}: {_met(figure)})" if figure.targets else ""
    say(f"  {figure.part}: {figure.what}: {_value(figure)}{target}")


def _show_all(findings: Findings) -> None:
    rows = [[each.part, each.what, _value(each), _bounds(each), _met(each)] for each in findings.figures]
    head, *lines = table(["part", "what", "figure", "target", "met"], rows).splitlines()
    click.echo(head)
    for line, figure in zip(lines, findings.figures, strict=True):
        click.echo(line)
        if figure.remark:
            click.echo(f"    {figure.remark}")


def _show_troubles(findings: Findings) -> None:
    for name, reason in findings.skipped.items():
        say(f"{coloured('!', 'yellow', sys.stderr)} {name} was not measured: {reason}")
    for name, reason in findings.broken.items():
        say(f"{coloured('✗', 'red', sys.stderr)} {name} broke: {reason}")
    if findings.figures and not findings.sound:
        say(f"{coloured('✗', 'red', sys.stderr)} These figures do not count:")
        for reason in findings.reasons():
            say(f"  {reason}")


def _value(figure: Figure) -> str:
    """Three digits that mean something, and the unit."""
    value = figure.value
    if math.isnan(value):
        return "none"
    digits = 0 if value == int(value) or abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f} {figure.unit}".rstrip()


def _bounds(figure: Figure) -> str:
    """The steps to reach: "≥ 0.22 · 0.35"."""
    if not figure.targets:
        return ""
    return f"{figure.targets[0].sign} {' · '.join(f'{target.bound:g}' for target in figure.targets)}"


def _met(figure: Figure) -> str:
    """Whether the target is reached, in words; of several targets, how many."""
    met = sum(target.met(figure.value) for target in figure.targets)
    if len(figure.targets) > 1:
        return f"{met} of {len(figure.targets)}"
    return ("met" if met else "not met") if figure.targets else ""
