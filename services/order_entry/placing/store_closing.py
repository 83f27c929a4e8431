"""Store an order of a broker that may only close what it has: one that owes to the guarantee account.

It may sell what it holds, and buy back what it is short of or owes, its open buys counted. That is looked at with all
its accounts locked, in the statement that lets it in, never by a status that somebody remembers. Its accounts are
blocked for all others meanwhile, so what stores orders is the same as for everybody else.
"""

from typing import Final

from sqlalchemy import text

from database.statements import Statements, execute_together
from services.accounts.fee_terms import terms_of
from services.errors import BrokerCloseOnly, BrokerSuspended
from services.order_entry.placing.answers import Answers, answers_of
from services.order_entry.placing.open_accounts import opening
from services.order_entry.placing.order_columns import document_of
from services.order_entry.placing.store import PLACE_IN_TURN, most_of
from services.order_entry.requests import FundedOrder
from settings.sections import Fees, Limits

LOCK: Final = text("SELECT asset_id FROM balances WHERE broker_id = :broker_id ORDER BY asset_id FOR NO KEY UPDATE")

CLOSE_ONLY: Final = "close_only"

STATUS: Final = text("SELECT status FROM brokers WHERE id = :broker_id")

CLOSING_ROOM: Final = """CASE :side WHEN 'ask' THEN greatest(b.available, 0)
    ELSE b.owed + greatest(-(b.available + b.reserved), 0) - (
        SELECT coalesce(sum(o.remaining_quantity), 0) FROM orders o
        WHERE o.stock_id = b.asset_id AND o.broker_id = b.broker_id AND o.closed_at IS NULL AND o.side = 'bid'
    ) END"""
"""Of the balance `b` in a stock: shares that an order of this side may be for, to close what is there."""

LET_IN: Final = text(f"""
    UPDATE balances u SET blocked = false FROM brokers k
    WHERE k.id = :broker_id AND k.status = 'close_only' AND u.broker_id = k.id AND u.asset_id IN (1, :stock_id)
        AND :quantity <= (
            SELECT {CLOSING_ROOM} FROM balances b WHERE b.broker_id = :broker_id AND b.asset_id = :stock_id
        )
""")  # noqa: S608 - an expression of ours
KEEP_OUT: Final = text("""
    UPDATE balances u SET blocked = true FROM brokers k
    WHERE k.id = :broker_id AND k.status <> 'active' AND u.broker_id = k.id AND u.asset_id IN (1, :stock_id)
""")
"""In one transaction, whose first statement has locked all of the broker's accounts: what each sees is true."""


def store_closing(limits: Limits, fees: Fees, together: dict[int, FundedOrder], session: Statements) -> Answers:
    """The answer to one order of such a broker; it pays the fees that its broker has now.

    BrokerCloseOnly for one that is to open something, BrokerSuspended for one of a broker that is let in by no means.
    """
    ((place, entry),) = together.items()
    broker_id = entry.order.broker_id
    entry = entry.at(terms_of(session, {broker_id})[broker_id].rates(fees))
    request = entry.order.request
    account = {"broker_id": broker_id, "stock_id": entry.stock.id}
    wanted = {**account, "side": request.side, "quantity": request.quantity}
    *_, status, _, placed, _ = execute_together(
        session,
        [
            *opening([entry]),
            (LOCK, {"broker_id": broker_id}),
            (STATUS, {"broker_id": broker_id}),
            (LET_IN, wanted),
            (PLACE_IN_TURN, {"document": document_of([entry]), **most_of(limits)}),
            (KEEP_OUT, account),
        ],
    )
    answers = answers_of(limits, {place: entry}, placed)
    if isinstance(answers[place], BrokerSuspended) and next(iter(status)).status == CLOSE_ONLY:
        return {place: BrokerCloseOnly()}
    return answers
