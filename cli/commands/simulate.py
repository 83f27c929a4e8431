"""`minex simulate`: the pure engine, no server. Commands in, events out, one JSON object a line, one book."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import click

from cli.order_flow import json_commands, json_events, json_fields, lobster
from cli.order_flow.lobster_messages import BadMessage, read_file
from engine import Book, Rules
from engine.terms.codes import DUPLICATE_ID
from engine.terms.rules import BAND_REFERENCES, CANCEL_RESTING, EXECUTION_PRICES, MAKER, NONE, SESSION, STP_MODES

Fields = tuple[tuple[str, Any], ...]
"""One JSON object: names and values in their order, so that one that stands twice is seen."""


class BadLine(Exception):
    """A line of the input is not a JSON object; the text says which and why."""


class Simulation:
    """One book and what a lone book does not know: which ids were ever used, and what time it is.

    `complain` is told in words which name of a line is wrong; the line itself is rejected with a code.
    """

    def __init__(self, book: Book, complain: Callable[[str], None]) -> None:
        self.book = book
        self.now = 0
        self._complain = complain
        self._used: set[int | str] = set()

    def run(self, lines: Iterable[bytes]) -> Iterator[list[str]]:
        """The events of each command, ready to print. Raises `BadLine` where the input stops being JSON objects."""
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield self.run_one(number, _parse(number, line))

    def run_one(self, number: int, pairs: Fields) -> list[str]:
        """Carry out the command of line `number`, and give its events; an object that is no command is rejected."""
        fields = json_fields.by_own_names(pairs)
        try:
            if fields.get("cmd") == "new":
                self._use(json_commands.read_id(fields))
            json_fields.check_names(pairs)
            command = json_commands.read_command(fields)
            if fields["cmd"] == "clock":
                self.now = max(self.now, json_commands.read_now(fields))
        except json_fields.InvalidCommand as invalid:
            if invalid.detail:
                self._complain(f"line {number}: {invalid.detail}")
            return [json_events.write_rejection(_id_or_none(fields), invalid.code)]
        return [json_events.write_event(event) for event in self.book.apply(command, self.now)]

    def _use(self, order_id: int | str) -> None:
        if order_id in self._used:
            raise json_fields.InvalidCommand(DUPLICATE_ID)
        self._used.add(order_id)


def _parse(number: int, line: bytes) -> Fields:
    try:
        fields = json.loads(line.decode(), object_pairs_hook=tuple)
    except (ValueError, RecursionError) as wrong:
        raise BadLine(f"line {number} is not JSON: {wrong}") from None
    if not isinstance(fields, tuple):
        raise BadLine(f"line {number} is not a JSON object")
    return fields


def _id_or_none(fields: dict[str, Any]) -> int | str | None:
    try:
        return json_commands.read_id(fields)
    except json_fields.InvalidCommand:
        return None


def _complain(text: str) -> None:
    click.echo(f"minex simulate: {text}", err=True)


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("simulate")
@click.argument("file", required=False, type=FILE)
@click.option("--tick", default=1, show_default=True, type=click.IntRange(1), help="Price step, in cents.")
@click.option("--lot", default=1, show_default=True, type=click.IntRange(1), help="Quantity step, in shares.")
@click.option("--band-bps", default=0, type=click.IntRange(0, 9999), help="Price band, in basis points; 0 is none.")
@click.option(
    "--dynamic-band-bps",
    default=0,
    type=click.IntRange(0, 9999),
    help="The same around the last price: calls an auction.",
)
@click.option(
    "--band-reference",
    default=SESSION,
    show_default=True,
    type=click.Choice(BAND_REFERENCES),
    help="What the band lies around: the session's reference, or each last trade.",
)
@click.option("--reference", type=click.IntRange(1), help="The session's reference price, in cents.")
@click.option(
    "--execution-price",
    default=MAKER,
    show_default=True,
    type=click.Choice(EXECUTION_PRICES),
    help="Whose price a trade has: the resting order's, or always the seller's.",
)
@click.option(
    "--stp",
    default=CANCEL_RESTING,
    show_default=True,
    type=click.Choice(STP_MODES),
    help="Self-trade prevention: what happens when both orders have the same account.",
)
@click.option("--book", "show_book", is_flag=True, help="Print the whole book at the end.")
@click.option("--lobster", "lobster_file", type=FILE, metavar="FILE", help="LOBSTER messages (.csv, .csv.gz) instead.")
def command(  # noqa: PLR0913, PLR0917 - one parameter for each option
    file: Path | None,
    tick: int,
    lot: int,
    band_bps: int,
    dynamic_band_bps: int,
    band_reference: str,
    reference: int | None,
    execution_price: str,
    stp: str,
    show_book: bool,
    lobster_file: Path | None,
) -> None:
    """Run commands through one order book, without any server.

    Reads JSON lines from FILE, or from standard input, and writes events as JSON lines. --lobster reads a LOBSTER
    message file instead, without self-trade prevention, and says on stderr how many executions were met exactly. The
    same input always gives the same bytes.

    \b
    {"cmd":"new","id":1,"side":"ask","price":1000,"quantity":5}
    {"cmd":"new","id":2,"side":"bid","type":"stop","stop_price":1000,"quantity":5}
    {"cmd":"amend","id":1,"price":990}       {"cmd":"cancel","id":2}
    {"cmd":"state","state":"auction"}        {"cmd":"uncross"}
    {"cmd":"clock","now":60}                 {"cmd":"roll"}

    Prices are cents, quantities shares, times whole numbers. docs/rules.md shows every field with an example. REST's
    names (order_type, time_in_force …) are understood, too; an unknown field is rejected, and named on stderr.
    """
    if lobster_file is not None and file is not None:
        raise click.UsageError("Give a FILE or --lobster, not both.")
    stp = NONE if lobster_file is not None else stp
    rules = Rules(tick, lot, band_bps, execution_price, stp, band_reference, dynamic_band_bps)
    book = Book(rules, reference)
    out = sys.stdout
    if lobster_file is not None:
        _print_lobster(book, lobster_file, out)
    elif file is not None:
        with file.open("rb") as lines:
            _print_events(Simulation(book, _complain), lines, out)
    else:
        _print_events(Simulation(book, _complain), sys.stdin.buffer, out)
    if show_book:
        out.write(json_events.write_book(book) + "\n")
    out.flush()


def _print_events(simulation: Simulation, lines: IO[bytes], out: IO[str]) -> None:
    """Print what happens; whoever sends commands one by one, by hand or through a pipe, is answered at once."""
    at_once = not lines.seekable()
    try:
        for events in simulation.run(lines):
            out.writelines(event + "\n" for event in events)
            if at_once:
                out.flush()
    except BadLine as wrong:
        out.flush()
        _complain(str(wrong))
        sys.exit(2)


def _print_lobster(book: Book, path: Path, out: IO[str]) -> None:
    executions = met = 0
    try:
        messages = read_file(path)
    except BadMessage as wrong:
        raise click.ClickException(f"{path}: {wrong}") from None
    for step in lobster.translate(messages):
        events = book.apply(step.command, 0)
        out.writelines(json_events.write_event(event) + "\n" for event in events)
        if step.execution is not None:
            executions += 1
            met += lobster.is_met(step.execution, events)
    out.flush()
    click.echo(f"{met} of {executions} executions hit the same order at the same price for the same quantity", err=True)
