"""The statements that store what became of busts, and what everybody is told of them.

Nothing is edited: trades are marked, and everything else is rows that are added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, Final

import orjson

from database.columns import literals, names, number, quoted, unnest, word
from database.pipeline import Pipeline
from models.clearing.bust import DONE
from services.clearing.busting.admission import status_after
from services.clearing.busting.bust import DecidedBust
from services.clearing.busting.debts import OrderToCancel
from services.clearing.busting.told import WEBHOOKS, OwnEvent
from services.settlement.ledger import Account
from services.timestamps import timestamp

TRADES: Final = (
    number("id", attrgetter("bust.trade_id")),
    number("adjusted_price", attrgetter("bust.new_price")),
    word("at", lambda each: timestamp(each.at), "timestamptz"),
)

MARK: Final = f"""
    UPDATE trades t SET adjusted_price = x.adjusted_price,
        busted_at = CASE WHEN x.adjusted_price IS NULL THEN x.at END
    FROM {unnest(TRADES, "x")} WHERE t.id = x.id
"""  # noqa: S608 - names of this file

EVENTS: Final = (
    number("broker_id", attrgetter("broker_id")),
    number("sequence", attrgetter("sequence")),
    word("kind", attrgetter("kind")),
    number("order_id", attrgetter("fill.order_id")),
    number("fee", lambda event: event.fill.fee or None),
    word("status", attrgetter("fill.status")),
    number("price", attrgetter("fill.order_price")),
    number("quantity", attrgetter("fill.quantity")),
    number("filled_quantity", attrgetter("fill.filled_quantity")),
    number("remaining_quantity", attrgetter("fill.remaining_quantity")),
    number("filled_notional", attrgetter("fill.filled_notional")),
    number("bust_id", attrgetter("each.bust.id")),
    word("happened_at", lambda event: timestamp(event.each.at), "timestamptz"),
)
ADD_EVENTS: Final = f"INSERT INTO account_events ({names(EVENTS)}) SELECT * FROM {unnest(EVENTS)}"  # noqa: S608

DELIVERIES: Final = (
    number("broker_id", attrgetter("broker_id")),
    number("sequence", attrgetter("webhook_sequence")),
    word("event", lambda event: WEBHOOKS[event.kind]),
    number("account_sequence", attrgetter("sequence")),
)
ADD_DELIVERIES: Final = f"""
    INSERT INTO webhook_deliveries ({names(DELIVERIES)}) SELECT * FROM {unnest(DELIVERIES)}
"""  # noqa: S608 - names of this file

COUNTERS: Final = (
    number("broker_id", lambda item: item[0]),
    number("sequence", lambda item: item[1][0]),
    number("webhook_sequence", lambda item: item[1][1]),
)
RAISE_COUNTERS: Final = f"""
    UPDATE account_counters c SET sequence = t.sequence, webhook_sequence = t.webhook_sequence
    FROM {unnest(COUNTERS)} WHERE c.broker_id = t.broker_id
"""  # noqa: S608 - names of this file


def mark_trades(sent: Pipeline, done: Sequence[DecidedBust]) -> None:
    """Say of each trade when it was busted, or at which price it stands."""
    sent.send(MARK, *literals(TRADES, done))


def add_own_events(sent: Pipeline, events: Sequence[OwnEvent], counters: Mapping[int, Sequence[int]]) -> None:
    """Tell both parties of each bust, and their receivers."""
    sent.send(RAISE_COUNTERS, *literals(COUNTERS, sorted(counters.items())))
    sent.send(ADD_EVENTS, *literals(EVENTS, events))
    if deliveries := [event for event in events if event.webhook_sequence is not None]:
        sent.send(ADD_DELIVERIES, *literals(DELIVERIES, deliveries))


class DecidedRow:
    """What the row of a decided bust says from now on."""

    def __init__(
        self,
        each: DecidedBust,
        command_sequence: int,
        cancels: Mapping[Account, Sequence[OrderToCancel]],
    ) -> None:
        bust, confirmation = each.bust, each.confirmation
        self.id, self.status = bust.id, status_after(bust, each.refused)
        self.refusal = each.refused if self.status != DONE else None
        self.command_sequence, self.event_sequence = command_sequence, each.event_sequence
        self.last_price, self.done_at = each.last_price, timestamp(each.at)
        self.person = None if confirmation is None else confirmation.person
        self.name = None if confirmation is None else confirmation.name
        self.confirmed_at = None if confirmation is None else timestamp(confirmation.at)
        self.shortfalls = [_shortfall(lack, cancels) for lack in each.compensation.shortfalls]


def _shortfall(lack: Any, cancels: Mapping[Account, Sequence[OrderToCancel]]) -> dict[str, Any]:
    account = lack.broker_id, lack.asset_id
    return {
        "broker_id": lack.broker_id,
        "asset_id": lack.asset_id,
        "owed": lack.owed,
        "taken_available": lack.taken_available,
        "missing": lack.missing,
        "advanced": lack.missing,
        "orders_cancelled": [each.order.id for each in cancels.get(account, ())],
    }


BUSTS: Final = (
    number("id", attrgetter("id")),
    word("status", attrgetter("status")),
    word("refusal", attrgetter("refusal")),
    number("command_sequence", attrgetter("command_sequence")),
    number("event_sequence", attrgetter("event_sequence")),
    number("last_price", attrgetter("last_price")),
    number("person", attrgetter("person")),
    quoted("name", attrgetter("name")),
    word("confirmed_at", attrgetter("confirmed_at"), "timestamptz"),
    word("done_at", attrgetter("done_at"), "timestamptz"),
    quoted("shortfalls", lambda row: orjson.dumps(row.shortfalls).decode(), "json"),
)
DECIDE: Final = f"""
    UPDATE busts b SET status = t.status, refusal = t.refusal,
        confirmed_by = coalesce(t.person, b.confirmed_by), confirmed_by_name = coalesce(t.name, b.confirmed_by_name),
        confirmed_at = coalesce(t.confirmed_at, b.confirmed_at),
        command_sequence = CASE WHEN t.status = '{DONE}' THEN t.command_sequence END,
        event_sequence = t.event_sequence, last_price = t.last_price, shortfalls = t.shortfalls,
        done_at = CASE WHEN t.status = '{DONE}' THEN t.done_at END
    FROM {unnest(BUSTS)} WHERE b.id = t.id AND b.status <> '{DONE}'
"""  # noqa: S608 - names of this file


def decide_busts(sent: Pipeline, rows: Sequence[DecidedRow]) -> None:
    """Write down what became of them. One that is done stays so."""
    sent.send(DECIDE, *literals(BUSTS, rows))
