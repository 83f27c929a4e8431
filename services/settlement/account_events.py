"""What each broker is told of its own orders, numbered without gaps, so that whoever missed something can ask for it.

The number is a counter on the broker's cash balance. It is raised by the statement that changes the balances, the last
before COMMIT, so that two turns never give the same one; until then an event knows only its place among the broker's
events of this turn.
"""

from collections.abc import Sequence

from engine.events import Amended, Cancelled, Expired, Rejected
from services.settlement.execution_reports import ExecutionReport
from services.settlement.ledger import broker_of, order_id_of
from services.settlement.turn_outcome import TurnOutcome
from services.settlement.turn_records import AccountEvent, StockTurn

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
"""The fields of an AccountEvent and their columns."""

NAMES = ", ".join(COLUMNS)
NUMBERED = f"""
    SELECT c.broker_id, c.account_sequence + e.n, {NAMES}
    FROM changed c CROSS JOIN LATERAL ROWS FROM (
        json_to_recordset(c.events) AS ({", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())})
    ) WITH ORDINALITY AS e ({NAMES}, n)
    WHERE c.events IS NOT NULL
"""  # noqa: S608 - names of this file
"""The rows of `account_events` that the cash balances of `changed` bring: each holds its broker's events as JSON, and
as `account_sequence` the number of the last event before them."""


def account_events(outcome: TurnOutcome, trade_ids: Sequence[int]) -> dict[int, list[AccountEvent]]:
    """The events of each broker by its id, in the order of the turn's reports."""
    events: dict[int, list[AccountEvent]] = {}
    for stock, report in outcome.reports:
        events.setdefault(broker_of(report.order), []).append(_event(stock, report, trade_ids))
    return events


def _event(stock: StockTurn, report: ExecutionReport, trade_ids: Sequence[int]) -> AccountEvent:
    state = report.state
    quantity, reason = _what_changed(report)
    return AccountEvent(
        report.kind,
        order_id_of(report.order),
        None if report.trade_index is None else trade_ids[report.trade_index],
        report.status,
        state.price,
        state.quantity,
        state.filled,
        state.remaining,
        state.notional,
        quantity,
        reason,
        stock.sequenced_at,
    )


def _what_changed(report: ExecutionReport) -> tuple[int | None, str | None]:
    """The shares that left without a trade, and the reason; of an amendment that kept its place only this."""
    match report.event:
        case Cancelled(quantity=quantity, reason=reason):
            return quantity, reason
        case Expired(quantity=quantity):
            return quantity, None
        case Rejected(code=code):
            return None, code
        case Amended(kept_priority=kept):
            return None, "kept_priority" if kept else None
    return None, None
