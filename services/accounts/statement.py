"""The statement of an account: each line that changed what it holds, with the balance after it.

What is held is available and reserved together, so reserving is no line. Lines are the fills of one's own orders and
their fees, at their numbers among the broker's own events, what busts gave back at theirs, and what came in and went
out between them, to the guarantee account, too. They are never changed, and stand in the order in which they changed
the balance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import text

from database.statements import Statements
from models import CASH
from services.accounts.external_transfers import CASH_NAME
from services.accounts.statement_lines import ALL_LINES, BEGIN, FIRST_LINES, SUMS
from services.stocks.listing import unknown_stock
from services.timestamps import timestamp

KINDS: Final = (
    *("deposit", "withdrawal", "trade", "fee"),
    *("bust", "adjustment", "fee_refund", "advance", "repayment"),
)

FIRST, LAST = "-infinity", "infinity"

ASSET = text("SELECT id FROM assets WHERE code = :code AND kind = 'stock'")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which account, and which of its lines: `kind` None for all; `since` is included, `until` is not."""

    broker_id: int
    asset: str = CASH_NAME
    kind: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Position:
    """How far a statement was read: the last line, the balance after it, and what the whole statement begins with."""

    place: int
    external: int
    top: int
    top_external: int
    balance: int
    opening: int
    closing: int


def begin_statement(session: Statements, wanted: Wanted) -> Position:
    """Before the first line. `session` sees one moment: all of this is of that. Raises UnknownStock."""
    values = _values(session, wanted)
    begun = session.execute(BEGIN, values).one()
    bounds = {**values, "place": begun.place, "external": 0, "top": begun.top, "top_external": begun.top_external}
    sums = session.execute(SUMS, bounds).one() if wanted.since or wanted.until else None
    opening = begun.balance - int(sums.since) if sums and wanted.since else 0
    closing = opening + int(sums.within) if sums else begun.balance
    return Position(begun.place, 0, begun.top, begun.top_external, opening, opening, closing)


def read_statement(session: Statements, wanted: Wanted, behind: Position, limit: int) -> Iterator[dict[str, Any]]:
    """At most `limit` lines behind a position, oldest first, each with its own position as `position`."""
    values = {
        **_values(session, wanted),
        "place": behind.place,
        "external": behind.external,
        "top": behind.top,
        "top_external": behind.top_external,
        "kind": wanted.kind,
        "limit": limit,
    }
    for row in session.execute(ALL_LINES if wanted.kind else FIRST_LINES, values):
        balance = behind.balance + int(row.so_far)
        position = replace(behind, place=row.place, external=row.external, balance=balance)
        yield {
            "position": position,
            "transfer_id": row.transfer_id,
            "time": timestamp(row.at),
            "asset": wanted.asset,
            "kind": row.kind,
            "amount": int(row.amount),
            "balance_after": balance,
            "order_id": row.order_id,
            "trade_id": row.trade_id,
            "reference": row.reference,
        }


def _values(session: Statements, wanted: Wanted) -> dict[str, Any]:
    asset_id = CASH
    if wanted.asset != CASH_NAME:
        found = session.scalar(ASSET, {"code": wanted.asset})
        if found is None:
            raise unknown_stock(wanted.asset, "asset")
        asset_id = int(found)
    times = {"since": wanted.since or FIRST, "until": wanted.until or LAST}
    return {"broker_id": wanted.broker_id, "asset_id": asset_id, **times}
