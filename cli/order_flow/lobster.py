"""LOBSTER messages as commands: real order flow from NASDAQ, for the engine or for a whole exchange.

A file starts on a book that is not empty and shows a window of it, such as its best ten levels. Orders that rested
before, or outside the window, are known only from what happens to them later; others leave the window and are never
heard of again. Two rules make up for what is not told:

- An order enters only as large as later messages take away from it, and not at all where none do: what left silently
  must not stand before orders that traded.
- Ids grow with time. An order whose entry is not told, or is told late, enters just before the first order with a
  larger id, at the latest just before its own first message.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cli.order_flow.lobster_messages import DELETION, ENTRY, EXECUTION, Message
from engine import Amend, Cancel, Event, New, Order, Trade
from engine.terms.order_types import IOC, LIMIT

MAKER: Final = "maker"
TAKER: Final = "taker"


@dataclass(frozen=True, slots=True)
class Step:
    """One command, and if the file says that it executes against a resting order, the message that says so."""

    command: New | Amend | Cancel
    execution: Message | None = None


def translate(messages: Sequence[Message]) -> Iterator[Step]:
    """Commands that make a book live through `messages`.

    An execution becomes an immediate order from the other side, `t1`, `t2`, … of the account `taker`; all others are
    of `maker`. A reduction after which nothing more happens to an order leaves nothing of it, and is a cancel.
    """
    entries = _entries(messages)
    totals: dict[int, int] = {}
    remaining: dict[int, int] = {}
    takers = 0
    for number, message in enumerate(messages):
        for entry in entries[number]:
            totals[entry.id] = remaining[entry.id] = entry.shares
            yield Step(New(Order(entry.id, MAKER, entry.side, LIMIT, entry.price, entry.shares)))
        if message.type == ENTRY:
            continue
        remaining[message.id] -= message.shares
        if message.type == EXECUTION:
            takers += 1
            taker = Order(f"t{takers}", TAKER, -message.side, LIMIT, message.price, message.shares, IOC)
            yield Step(New(taker), message)
        elif message.type == DELETION or not remaining[message.id]:
            yield Step(Cancel(message.id))
        else:
            totals[message.id] -= message.shares
            yield Step(Amend(message.id, quantity=totals[message.id]))


def is_met(execution: Message, events: Iterable[Event]) -> bool:
    """True if `events` trade with the very order of `execution`, at its price, for all its shares, and nothing else."""
    trades = [(event.maker.id, event.price, event.quantity) for event in events if isinstance(event, Trade)]
    return trades == [(execution.id, execution.price, execution.shares)]


def _entries(messages: Sequence[Message]) -> dict[int, list[Message]]:
    """The orders that enter, oldest id first, by the number of the message that they enter just before."""
    first: dict[int, int] = {}
    taken: dict[int, int] = defaultdict(int)
    for number, message in enumerate(messages):
        first.setdefault(message.id, number)
        if message.type != ENTRY:
            taken[message.id] += message.shares
    entries: dict[int, list[Message]] = defaultdict(list)
    before = len(messages)
    for order_id in sorted(first, reverse=True):
        before = min(before, first[order_id])
        if taken[order_id]:
            entry = replace(messages[first[order_id]], type=ENTRY, shares=taken[order_id])
            entries[before].insert(0, entry)
    return entries
