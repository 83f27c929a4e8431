"""What each broker is told of its own orders, numbered without gaps, so that whoever missed something can ask for it.

The number is a counter of the broker's own (`account_counters`), which turns alone raise and which stays locked to
COMMIT, so that two turns never give the same one; until it is raised an event knows only its place among the broker's
events of this turn. It is not on the cash balance: an order that only rests moves no money, and whoever places the
next one would wait for it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

import orjson

from database.columns import literals, number, unnest
from database.pipeline import Pipeline
from engine.terms.events import Amended, Cancelled, Event, Expired, Rejected
from services.settlement.execution_reports import ExecutionReport
from services.settlement.ledger import broker_of, order_id_of
from services.settlement.turn_outcome import TurnOutcome
from services.settlement.turn_records import StockTurn

COLUMNS = {
    "kind": "text",
    "order_id": "bigint",
    "trade_id": "bigint",
    "fee": "bigint",
    "status": "text",
    "price": "bigint",
    "quantity": "bigint",
    "filled_quantity": "bigint",
    "remaining_quantity": "bigint",
    "filled_notional": "bigint",
    "event_quantity": "bigint",
    "reason": "text",
    "happened_at": "timestamptz",
}
"""What `account_events` keeps of an event, beside its broker and its number: each column, and its type. Prices and
`filled_notional` in cents, `fee` in cents or missing, quantities in shares (`event_quantity`: what left the order
without a trade)."""

NAMES = ", ".join(COLUMNS)
BROKERS = (number("broker_id", itemgetter(0)), number("events", itemgetter(1)))
"""How many events each broker is told."""

PLACES = {"broker_id": "bigint", "place": "integer", "later": "bigint"}
"""Of an event: its broker, the broker's place among BROKERS from 1, and how many of its events come after this one."""

ADDED = f"""
    added AS (
        INSERT INTO account_events (broker_id, sequence, {NAMES})
        SELECT broker_id, last.sequences[place] - later, {NAMES}
        FROM last CROSS JOIN json_to_recordset($3::json)
            AS e ({", ".join(f"{name} {kind}" for name, kind in (PLACES | COLUMNS).items())})
    )
"""  # noqa: S608 - names of this file

ADD_EVENTS = f"""
    WITH counted AS (
        INSERT INTO account_counters AS c (broker_id, sequence)
        SELECT broker_id, events FROM {unnest(BROKERS)}
        ON CONFLICT (broker_id) DO UPDATE SET sequence = c.sequence + excluded.sequence
        RETURNING broker_id, sequence
    ), last AS MATERIALIZED (
        SELECT array_agg(sequence ORDER BY broker_id) AS sequences FROM counted
    ), {ADDED}
    SELECT broker_id, sequence FROM counted
"""  # noqa: S608
"""The brokers come in the order of their ids, in which their counters are locked; the events as one JSON document.

Each event finds its broker's counter by its place: connections for orders have no joins but by an index, and what a
statement has just changed has none.
"""

FILLS = (number("fills", lambda fills: fills),)
"""How many deliveries there are for each of BROKERS."""


class Delivery(NamedTuple):
    """A fill of a broker with a hook: how many of its fills, and of its events, come later, its place in BROKERS."""

    broker_id: int
    fills_later: int
    later: int
    place: int


DELIVERIES = (
    number("broker_id", attrgetter("broker_id")),
    number("fills_later", attrgetter("fills_later")),
    number("later", attrgetter("later")),
    number("place", attrgetter("place"), "integer"),
)

ADD_EVENTS_AND_DELIVERIES = f"""
    WITH counted AS (
        INSERT INTO account_counters AS c (broker_id, sequence, webhook_sequence)
        SELECT broker_id, events, fills
        FROM unnest($1::bigint[], $2::bigint[], $4::bigint[]) AS t (broker_id, events, fills)
        ON CONFLICT (broker_id) DO UPDATE SET sequence = c.sequence + excluded.sequence,
            webhook_sequence = c.webhook_sequence + excluded.webhook_sequence
        RETURNING broker_id, sequence, webhook_sequence
    ), last AS MATERIALIZED (
        SELECT array_agg(sequence ORDER BY broker_id) AS sequences,
            array_agg(webhook_sequence ORDER BY broker_id) AS webhook_sequences
        FROM counted
    ), {ADDED}, delivered AS (
        INSERT INTO webhook_deliveries (broker_id, sequence, event, account_sequence)
        SELECT broker_id, last.webhook_sequences[place] - fills_later, 'trade_executed', last.sequences[place] - later
        FROM last CROSS JOIN {unnest(DELIVERIES, first=5)}
    )
    SELECT broker_id, sequence FROM counted
"""  # noqa: S608
"""And a delivery for each fill of a broker with a hook, numbered by the same counters."""


def add_account_events(sent: Pipeline, outcome: TurnOutcome, trade_ids: Sequence[int]) -> Iterable[Any]:
    """Number and store an event for each report, in the order of the reports, and deliveries for `outcome.hooked`.

    A row {broker_id, sequence} for each broker that is told something: the number of its last event.
    """
    if not outcome.reports:
        return ()
    later = Counter([broker_of(report.order) for _, report in outcome.reports])
    counts = sorted(later.items())
    places = {broker_id: place for place, (broker_id, _) in enumerate(counts, 1)}
    hooked = outcome.hooked
    events, fills = [], []
    for stock, report in outcome.reports:
        broker_id = broker_of(report.order)
        later[broker_id] -= 1
        event = _event(stock, report, broker_id, places[broker_id], later[broker_id])
        if report.trade_index is None:
            event |= _reason(report.event)
        else:
            event["trade_id"] = trade_ids[report.trade_index]
            if fee := outcome.executions[report.trade_index].fee_of(report.order):
                event["fee"] = fee
            if broker_id in hooked:
                fills.append((broker_id, later[broker_id]))
        events.append(event)
    parameters = *literals(BROKERS, counts), orjson.dumps(events).decode()
    if not fills:
        return sent.send(ADD_EVENTS, *parameters)
    left = Counter([broker_id for broker_id, _ in fills])
    deliveries_of = literals(FILLS, [left[broker_id] for broker_id, _ in counts])
    deliveries = []
    for broker_id, events_later in fills:
        left[broker_id] -= 1
        deliveries.append(Delivery(broker_id, left[broker_id], events_later, places[broker_id]))
    return sent.send(ADD_EVENTS_AND_DELIVERIES, *parameters, *deliveries_of, *literals(DELIVERIES, deliveries))


def brokers_to_tell(outcome: TurnOutcome) -> set[int]:
    """The brokers for whose receivers there are deliveries now."""
    if not outcome.hooked:
        return set()
    filled = {broker_of(report.order) for _, report in outcome.reports if report.trade_index is not None}
    return filled & outcome.hooked


def _event(stock: StockTurn, report: ExecutionReport, broker_id: int, place: int, later: int) -> dict[str, Any]:
    """The event's columns that every event has, and its PLACES."""
    state = report.state
    return {
        "broker_id": broker_id,
        "place": place,
        "later": later,
        "kind": report.kind,
        "order_id": order_id_of(report.order),
        "status": report.status,
        "price": state.price,
        "quantity": state.quantity,
        "filled_quantity": state.filled,
        "remaining_quantity": state.remaining,
        "filled_notional": state.notional,
        "happened_at": stock.sequenced_at,
    }


def _reason(event: Event) -> dict[str, Any]:
    """The columns of what is no trade; of an amendment `reason` says that it kept its place."""
    match event:
        case Cancelled(quantity=quantity, reason=reason):
            return {"event_quantity": quantity, "reason": reason}
        case Expired(quantity=quantity):
            return {"event_quantity": quantity}
        case Rejected(code=code):
            return {"reason": code}
        case Amended(kept_priority=True):
            return {"reason": "kept_priority"}
    return {}
