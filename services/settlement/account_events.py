"""What each broker is told of its own orders, numbered without gaps, so that whoever missed something can ask for it.

The number is a counter of the broker's own (`account_counters`), which turns alone raise and which stays locked to
COMMIT, so that two turns never give the same one; until it is raised an event knows only its place among the broker's
events of this turn. It is not on the cash balance: an order that only rests moves no money, and whoever places the
next one would wait for it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

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

STEPS = f"""
    counted AS (
        INSERT INTO account_counters AS c (broker_id, sequence)
        SELECT broker_id, events FROM {unnest(BROKERS)}
        ON CONFLICT (broker_id) DO UPDATE SET sequence = c.sequence + excluded.sequence
        RETURNING broker_id, sequence
    ), last AS MATERIALIZED (
        SELECT array_agg(sequence ORDER BY broker_id) AS sequences FROM counted
    ), added AS (
        INSERT INTO account_events (broker_id, sequence, {NAMES})
        SELECT broker_id, last.sequences[place] - later, {NAMES}
        FROM last CROSS JOIN json_to_recordset($3::json)
            AS e ({", ".join(f"{name} {kind}" for name, kind in (PLACES | COLUMNS).items())})
    )
"""  # noqa: S608 - names of this file
"""The brokers come in the order of their ids, in which their counters are locked; the events as one JSON document.

Each event finds its broker's counter by its place: connections for orders have no joins but by an index, and what a
statement has just changed has none.
"""

ADD_EVENTS = f"WITH {STEPS} SELECT broker_id, sequence, false AS is_hooked FROM counted"  # noqa: S608

FILLS = (number("broker_id", itemgetter(0)), number("fills", itemgetter(1)))
"""How many fills each broker has that has some."""

ADD_EVENTS_AND_DELIVERIES = f"""
    WITH {STEPS}, numbered AS (
        UPDATE webhooks w SET sequence = w.sequence + t.fills FROM {unnest(FILLS, first=4)}
        WHERE w.broker_id = t.broker_id AND w.enabled AND 'trade_executed' = ANY (w.events)
        RETURNING w.broker_id, w.sequence
    ), hooked AS MATERIALIZED (
        SELECT coalesce(jsonb_object_agg(broker_id, sequence), '{{}}') AS numbers FROM numbered
    ), delivered AS (
        INSERT INTO webhook_deliveries (broker_id, sequence, event, account_sequence)
        SELECT broker_id, CAST(hooked.numbers ->> CAST(broker_id AS text) AS bigint) - fills_later, 'trade_executed',
            last.sequences[place] - later
        FROM hooked CROSS JOIN last CROSS JOIN json_to_recordset($3::json)
            AS e (broker_id bigint, place integer, later bigint, fills_later bigint)
        WHERE fills_later IS NOT NULL AND hooked.numbers ? CAST(broker_id AS text)
    )
    SELECT broker_id, c.sequence, hooked.numbers ? CAST(broker_id AS text) AS is_hooked
    FROM counted c CROSS JOIN hooked
"""  # noqa: S608 - names of this file
"""And for each fill of a broker that has a hook for trades a delivery, with numbers of its own. Each finds its hook by
the broker, in a document: as above, joins would take the square of the time."""


def add_account_events(sent: Pipeline, outcome: TurnOutcome, trade_ids: Sequence[int]) -> Iterable[Any]:
    """Number and store an event for each report, in the order of the reports.

    A row {broker_id, sequence, is_hooked} for each broker that is told something: the number of its last event, and
    whether there are deliveries for its hook now.
    """
    if not outcome.reports:
        return ()
    later = Counter([broker_of(report.order) for _, report in outcome.reports])
    counts = sorted(later.items())
    places = {broker_id: place for place, (broker_id, _) in enumerate(counts, 1)}
    fills = Counter([broker_of(report.order) for _, report in outcome.reports if report.trade_index is not None])
    fill_counts = sorted(fills.items()) if outcome.has_hooks else []
    events = []
    for stock, report in outcome.reports:
        broker_id = broker_of(report.order)
        later[broker_id] -= 1
        event = _event(stock, report, broker_id, places[broker_id], later[broker_id])
        if report.trade_index is None:
            event |= _reason(report.event)
        else:
            event["trade_id"] = trade_ids[report.trade_index]
            if fill_counts:
                fills[broker_id] -= 1
                event["fills_later"] = fills[broker_id]
            if fee := outcome.executions[report.trade_index].fee_of(report.order):
                event["fee"] = fee
        events.append(event)
    parameters = *literals(BROKERS, counts), orjson.dumps(events).decode()
    if fill_counts:
        return sent.send(ADD_EVENTS_AND_DELIVERIES, *parameters, *literals(FILLS, fill_counts))
    return sent.send(ADD_EVENTS, *parameters)


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
