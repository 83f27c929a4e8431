"""LOBSTER message files as commands: real order flow from NASDAQ, for the engine or for a whole exchange.

A message file (lobsterdata.com) has no header and six columns: seconds after midnight, type, order id, shares, price in
1/10,000 dollar, and the direction of the *resting* order (1 buy, -1 sell). Types: 1 a limit order enters, 2 part of one
is cancelled, 3 one is deleted, 4 a visible one is executed, 5 a hidden one is, 6 a cross, 7 a halt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from engine import ASK, BID, Amend, Cancel, Event, New, Order, Trade
from engine.order_types import IOC, LIMIT

ENTRY: Final = 1
REDUCTION: Final = 2
DELETION: Final = 3
EXECUTION: Final = 4
TYPES: Final = range(1, 8)
"""5 to 7 are known but say nothing of the visible book."""

PRICE_UNITS_PER_CENT: Final = 100
"""The file counts in 1/10,000 dollar."""
COLUMNS: Final = 6

MAKER: Final = "maker"
TAKER: Final = "taker"


class BadMessage(ValueError):
    """A line of the file is not a LOBSTER message; the text names the line and what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Message:
    """One line of the file, its price in cents."""

    type: int
    id: int
    shares: int
    price: int
    side: int


@dataclass(frozen=True, slots=True)
class Step:
    """One command, and if the file says that it executes against a resting order, the message that says so."""

    command: New | Amend | Cancel
    execution: Message | None = None


def read_messages(lines: Iterable[str]) -> list[Message]:
    """The messages that concern the visible book. Raises `BadMessage`."""
    messages = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        columns = line.split(",")
        try:
            _, kind, order_id, shares, price, direction = columns[:COLUMNS]
            message = Message(int(kind), int(order_id), int(shares), int(price) // PRICE_UNITS_PER_CENT, int(direction))
        except ValueError:
            raise BadMessage(f"line {number}: not time, type, order id, shares, price, direction") from None
        if message.type not in TYPES:
            raise BadMessage(f"line {number}: there is no message type {message.type}")
        if message.type > EXECUTION:
            continue
        if message.side not in (BID, ASK) or message.shares <= 0 or message.price <= 0:
            raise BadMessage(f"line {number}: the direction is 1 or -1, shares and price are positive")
        messages.append(message)
    return messages


def translate(messages: Iterable[Message]) -> Iterator[Step]:
    """Commands that make a book live through `messages`.

    The file starts on a book that is not empty. Orders that are known only from what happens to them later come
    first, oldest id first, just as large as all their later reductions, deletions and executions need. An execution
    becomes an immediate order from the other side, `t1`, `t2`, … of the account `taker`; all others are of `maker`.
    A reduction that is the last thing known of an opening order leaves nothing of it, and is a cancel.
    """
    messages = list(messages)
    opening = opening_orders(messages)
    totals: dict[int, int] = {}
    for order in opening:
        totals[order.id] = order.shares
        yield Step(New(_resting(order)))
    takers = 0
    for message in messages:
        if message.type == ENTRY:
            totals[message.id] = message.shares
            yield Step(New(_resting(message)))
        elif message.type == REDUCTION:
            total = totals[message.id] = totals[message.id] - message.shares
            yield Step(Amend(message.id, quantity=total) if total > 0 else Cancel(message.id))
        elif message.type == DELETION:
            yield Step(Cancel(message.id))
        else:
            takers += 1
            taker = Order(f"t{takers}", TAKER, -message.side, LIMIT, message.price, message.shares, IOC)
            yield Step(New(taker), message)


def opening_orders(messages: Iterable[Message]) -> list[Message]:
    """The orders that must have rested before the first message, as entries, oldest id first."""
    entered: set[int] = set()
    opening: dict[int, Message] = {}
    for message in messages:
        if message.type == ENTRY:
            entered.add(message.id)
        elif message.id not in entered:
            known = opening.get(message.id)
            shares = message.shares + (known.shares if known else 0)
            opening[message.id] = Message(ENTRY, message.id, shares, message.price, message.side)
    return [opening[order_id] for order_id in sorted(opening)]


def is_met(execution: Message, events: Iterable[Event]) -> bool:
    """Whether `events` trade with the very order of `execution`, at its price, for all its shares, and nothing else."""
    trades = [(event.maker.id, event.price, event.quantity) for event in events if isinstance(event, Trade)]
    return trades == [(execution.id, execution.price, execution.shares)]


def _resting(message: Message) -> Order:
    return Order(message.id, MAKER, message.side, LIMIT, message.price, message.shares)
