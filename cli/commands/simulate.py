"""`minex simulate`: the pure engine, no server. Commands in, events out, one JSON object a line, one book."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import click

from cli.order_flow import json_commands, json_events, lobster
from cli.order_flow.lobster_messages import BadMessage, read_file
from engine import Book, Rules
from engine.codes import DUPLICATE_ID
from engine.rules import BAND_REFERENCES, CANCEL_RESTING, EXECUTION_PRICES, MAKER, NONE, SESSION, STP_MODES


class BadLine(Exception):
    """A line of the input is not a JSON object; the text says which and why."""


class Simulation:
    """One book and what a lone book does not know: which ids were ever used, and what time it is."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.now = 0
        self._used: set[int | str] = set()

    def run(self, lines: Iterable[bytes]) -> Iterator[list[str]]:
        """The events of each command, ready to print. Raises `BadLine` where the input stops being JSON objects."""
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield self.run_one(_parse(number, line))

    def run_one(self, fields: dict[str, Any]) -> list[str]:
        """Carry out one command, and give its events; an object that is no command is rejected."""
        try:
            if fields.get("cmd") == "new":
                self._use(json_commands.read_id(fields))
            command = json_commands.read_command(fields)
            if fields.get("cmd") == "clock":
                self.now = max(self.now, json_commands.read_now(fields))
        except json_commands.InvalidCommand as invalid:
            return [json_events.write_rejection(_id_or_none(fields), invalid.code)]
        return [json_events.write_event(event) for event in self.book.apply(command, self.now)]

    def _use(self, order_id: int | str) -> None:
        if order_id in self._used:
            raise json_commands.InvalidCommand(DUPLICATE_ID)
        self._used.add(order_id)


def _parse(number: int, line: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(line.decode())
    except (ValueError, RecursionError) as wrong:
        raise BadLine(f"line {number} is not JSON: {wrong}") from None
    if not isinstance(fields, dict):
        raise BadLine(f"line {number} is not a JSON object")
    return fields


def _id_or_none(fields: dict[str, Any]) -> int | str | None:
    try:
        return json_commands.read_id(fields)
    except json_commands.InvalidCommand:
        return None


@click.command("simulate")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--tick", default=1, show_default=True, type=click.IntRange(1), help="Price step, in cents.")
@click.option("--lot", default=1, show_default=True, type=click.IntRange(1), help="Quantity step, in shares.")
@click.option("--band-bps", default=0, type=click.IntRange(0, 9999), help="Price band, in basis points; 0 is none.")
@click.option(
    "--dynamic-band-bps", default=0, type=click.IntRange(0, 9999), help="Calls a volatility auction; 0 is none."
)
@click.option("--band-reference", default=SESSION, show_default=True, type=click.Choice(BAND_REFERENCES))
@click.option("--reference", type=click.IntRange(1), help="Price in cents that the band lies around.")
@click.option("--execution-price", default=MAKER, show_default=True, type=click.Choice(EXECUTION_PRICES))
@click.option("--stp", default=CANCEL_RESTING, show_default=True, type=click.Choice(STP_MODES), help="Self-trades.")
@click.option("--book", "show_book", is_flag=True, help="End with the whole book.")
@click.option("--lobster", "lobster_file", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE")
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

    Prices are cents, quantities shares, times whole numbers. docs/rules.md shows every field with an example.
    """
    if lobster_file is not None and file is not None:
        raise click.UsageError("give a FILE or --lobster, not both")
    stp = NONE if lobster_file is not None else stp
    rules = Rules(tick, lot, band_bps, execution_price, stp, band_reference, dynamic_band_bps)
    book = Book(rules, reference)
    out = sys.stdout
    if lobster_file is not None:
        _print_lobster(book, lobster_file, out)
    elif file is not None:
        with file.open("rb") as lines:
            _print_events(Simulation(book), lines, out)
    else:
        _print_events(Simulation(book), sys.stdin.buffer, out)
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
        click.echo(f"minex simulate: {wrong}", err=True)
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
