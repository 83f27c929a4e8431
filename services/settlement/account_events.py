"""What each broker is told of its own orders, numbered without gaps, so that whoever missed something can ask for it.

The number is a counter of the broker's own (`account_counters`), which turns alone raise and which stays locked to
COMMIT, so that two turns never give the same one; until it is raised an event knows only its place among the broker's
events of this turn. It is not on the cash balance: an order that only rests moves no money, and whoever places the
next one would wait for it.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from database.pipeline import Pipeline
from engine.events import Amended, Cancelled, Expired, Rejected
from services.settlement.execution_reports import ExecutionReport
from services.settlement.ledger import broker_of, order_id_of
from services.settlement.turn_outcome import TurnOutcome
from services.settlement.turn_records import StockTurn

COLUMNS = {
    "kind": "text",
    "order_id": "bigint",
    "trade_id": "bigint",
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
`filled_notional` in cents, quantities in shares (`event_quantity`: what left the order without a trade)."""

NAMES = ", ".join(COLUMNS)
ADD_EVENTS = f"""
    WITH event AS MATERIALIZED (
        SELECT * FROM json_to_recordset($1::json)
            AS e (broker_id bigint, n bigint, {", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())})
    ), told AS MATERIALIZED (
        SELECT broker_id, max(n) AS events FROM event GROUP BY broker_id
    ), counted AS (
        INSERT INTO account_counters AS c (broker_id, sequence)
        SELECT broker_id, events FROM told ORDER BY broker_id
        ON CONFLICT (broker_id) DO UPDATE SET sequence = c.sequence + excluded.sequence
        RETURNING broker_id, sequence
    ), before AS (
        SELECT broker_id, c.sequence - t.events AS sequence FROM counted c JOIN told t USING (broker_id)
    ), added AS (
        INSERT INTO account_events (broker_id, sequence, {NAMES})
        SELECT broker_id, b.sequence + e.n, {NAMES} FROM event e JOIN before b USING (broker_id)
    )
    SELECT broker_id, sequence FROM before
"""  # noqa: S608 - names of this file
"""One JSON document of all events, each with its broker and its place `n` among that broker's own, counted from 1."""


def add_account_events(sent: Pipeline, outcome: TurnOutcome, trade_ids: Sequence[int]) -> Iterable[Any]:
    """Number and store an event for each report, in the order of the reports.

    A row {broker_id, sequence} for each broker that is told something: the number of its last event before this turn.
    """
    if not outcome.reports:
        return ()
    places: dict[int, int] = {}
    events = []
    for stock, report in outcome.reports:
        broker_id = broker_of(report.order)
        place = places[broker_id] = places.get(broker_id, 0) + 1
        event = {"broker_id": broker_id, "n": place, **_event(stock, report)}
        if report.trade_index is not None:
            event["trade_id"] = trade_ids[report.trade_index]
        events.append(event)
    return sent.send(ADD_EVENTS, orjson.dumps(events).decode())


def _event(stock: StockTurn, report: ExecutionReport) -> dict[str, Any]:
    """The event's columns, but for its trade; of an amendment `reason` says that it kept its place."""
    state = report.state
    event = {
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
    match report.event:
        case Cancelled(quantity=quantity, reason=reason):
            event |= {"event_quantity": quantity, "reason": reason}
        case Expired(quantity=quantity):
            event["event_quantity"] = quantity
        case Rejected(code=code):
            event["reason"] = code
        case Amended(kept_priority=True):
            event["reason"] = "kept_priority"
    return event
