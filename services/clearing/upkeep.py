"""What has to be looked after besides judging: requests that run out, debts, busts that wait for the guarantee."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import text

from database.statements import Statements
from models.clearing.bust import EXPIRED, NEEDS_CONFIRMATION, WAITING_FOR_GUARANTEE
from services.clearing.busting.debts import ask_for_cancels, orders_to_cancel, stocks_of
from services.clearing.requests import try_again
from services.identity.suspension import release_debtors

EXPIRE: Final = text(f"""
    UPDATE busts SET status = '{EXPIRED}', refusal = 'bust_window_passed'
    WHERE status = '{NEEDS_CONFIRMATION}' AND asked_at < clock_timestamp() - :seconds * interval '1 second'
        AND NOT EXISTS (
            SELECT FROM commands c WHERE c.stock_id = busts.stock_id AND c.sequence IS NULL AND c.kind = 'bust'
        )
""")  # noqa: S608 - constants
"""One whose confirmation waits for its turn came in time, perhaps: its turn says so."""

DEBTS: Final = text("SELECT broker_id, asset_id, owed FROM balances WHERE owed > 0 ORDER BY broker_id, asset_id")

WAITING: Final = text(f"""
    SELECT b.id, b.stock_id FROM busts b WHERE b.status = '{WAITING_FOR_GUARANTEE}'
        AND NOT EXISTS (
            SELECT FROM commands c WHERE c.stock_id = b.stock_id AND c.sequence IS NULL AND c.kind = 'bust'
        )
    ORDER BY b.id LIMIT 100
""")  # noqa: S608 - constants

TOTAL: Final = text("SELECT coalesce(sum(amount), 0) FROM receivable_entries WHERE amount < 0")
"""All that was ever repaid: only where that has grown there may be room for those that wait."""


@dataclass(slots=True)
class Upkeep:
    """What is remembered from one time to the next."""

    repaid: int | None = None
    released: list[int] = field(default_factory=list)
    """Brokers that owe nothing any more, and may trade again, as of the last time."""

    def look_after(self, session: Statements, window_seconds: int) -> list[tuple[str, str]]:
        """Do what is due; the stocks (symbol, group) in whose inboxes there is something then."""
        session.execute(EXPIRE, {"seconds": window_seconds})
        self.released = release_debtors(session)
        stocks = dict.fromkeys(self._cancel(session))
        for queued in self._try_again(session):
            stocks[queued] = None
        return list(stocks)

    def _cancel(self, session: Statements) -> list[tuple[str, str]]:
        """Ask for the cancels of more orders of those who owe, where those that went have not freed enough."""
        cancels = [
            cancel
            for debt in session.execute(DEBTS).all()
            for cancel in orders_to_cancel(session, debt.broker_id, debt.asset_id, debt.owed)
        ]
        if cancels:
            ask_for_cancels(session, cancels)
        return stocks_of(cancels)

    def _try_again(self, session: Statements) -> list[tuple[str, str]]:
        repaid = int(session.scalar(TOTAL))
        if repaid == self.repaid:
            return []
        self.repaid = repaid
        queued = [try_again(session, row.id, row.stock_id) for row in session.execute(WAITING).all()]
        return [(each.symbol, each.group_name) for each in queued]
