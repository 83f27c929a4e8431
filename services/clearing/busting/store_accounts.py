"""The statements that store what busts do to accounts; the balances come last, with COMMIT behind them.

What the guarantee account advances is written down in `receivable_entries`, from which its own balance follows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from typing import Final

from sqlalchemy import text

from database.columns import literals, names, number, unnest, word
from database.pipeline import Answer, Pipeline
from database.statements import Statements
from models.accounts.broker import GUARANTEE, OWN
from services.clearing.busting.bust import BustRun
from services.clearing.busting.compensation import ADVANCE, Given
from services.clearing.busting.debts import PAYLOAD, OrderToCancel
from services.clearing.busting.told import OwnEvent
from services.settlement.ledger import Account

TRANSFER_IDS: Final = text("SELECT nextval('transfers_id_seq') AS id FROM generate_series(1, :count)")


@dataclass(frozen=True, slots=True)
class Entry:
    """A transfer to be; an advance also says behind which of its debtor's own events it comes."""

    id: int
    given: Given
    account_sequence: int


TRANSFERS: Final = (
    number("id", attrgetter("id")),
    word("kind", attrgetter("given.kind")),
    number("asset_id", attrgetter("given.asset_id")),
    number("amount", attrgetter("given.amount")),
    number("from_broker", attrgetter("given.from_broker")),
    number("to_broker", attrgetter("given.to_broker")),
    number("trade_id", attrgetter("given.trade_id")),
)
ADD_TRANSFERS: Final = f"""
    INSERT INTO transfers ({names(TRANSFERS)}, from_bucket, to_bucket)
    SELECT t.id, t.kind, t.asset_id, t.amount, coalesce(t.from_broker, g.id), t.to_broker, t.trade_id, 'available',
        'available'
    FROM {unnest(TRANSFERS)} JOIN brokers g ON g.id < {OWN} AND g.name = '{GUARANTEE}'
"""  # noqa: S608 - names of this file

ENTRIES: Final = (
    number("transfer_id", attrgetter("id")),
    number("broker_id", attrgetter("given.to_broker")),
    number("asset_id", attrgetter("given.asset_id")),
    number("account_sequence", attrgetter("account_sequence")),
    number("amount", attrgetter("given.amount")),
    number("trade_id", attrgetter("given.trade_id")),
)
ADD_ENTRIES: Final = f"""
    INSERT INTO receivable_entries ({names(ENTRIES)}) SELECT * FROM {unnest(ENTRIES)}
"""  # noqa: S608 - names of this file

COSTS: Final = (number("transfer_id", itemgetter(0)), number("cost", itemgetter(1), "numeric"))
CHANGE_COSTS: Final = f"""
    UPDATE external_transfers x SET cost = t.cost FROM {unnest(COSTS)} WHERE x.transfer_id = t.transfer_id
"""  # noqa: S608 - names of this file
"""Withdrawals that took another part of the cost along, as if the trades had never been."""

POINTS: Final = (
    number("broker_id", lambda item: item[0][0]),
    number("asset_id", lambda item: item[0][1]),
    number("sequence", itemgetter(1)),
)
FORGET_POINTS: Final = f"""
    DELETE FROM position_points p USING {unnest(POINTS)}
    WHERE p.broker_id = t.broker_id AND p.asset_id = t.asset_id AND p.sequence >= t.sequence
"""  # noqa: S608 - names of this file

CLOSE_ONLY: Final = "UPDATE brokers SET status = 'close_only' WHERE id = ANY($1::bigint[]) AND status = 'active'"
BLOCK: Final = "UPDATE balances SET blocked = true WHERE broker_id = ANY($1::bigint[]) AND NOT blocked"

CANCELS: Final = (
    number("stock_id", attrgetter("order.stock_id")),
    number("order_id", attrgetter("order.id")),
    number("broker_id", attrgetter("order.broker_id")),
)
CANCEL: Final = f"""
    INSERT INTO commands (kind, payload, {names(CANCELS)})
    SELECT 'cancel', CAST(${len(CANCELS) + 1} AS json), * FROM {unnest(CANCELS)}
"""  # noqa: S608 - names of this file

BALANCES: Final = (
    number("broker_id", lambda row: row.account[0]),
    number("asset_id", lambda row: row.account[1]),
    number("available", attrgetter("available")),
    number("owed", attrgetter("owed")),
    number("traded", attrgetter("traded")),
    number("cost", attrgetter("cost"), "numeric"),
    number("realised", attrgetter("realised"), "numeric"),
)
CHANGE_BALANCES: Final = f"""
    UPDATE balances b SET available = t.available, owed = t.owed, traded = b.traded + t.traded,
        cost = coalesce(t.cost, b.cost), realised_pnl = coalesce(t.realised, b.realised_pnl)
    FROM {unnest(BALANCES)}
    WHERE b.broker_id = t.broker_id AND b.asset_id = t.asset_id
    RETURNING b.broker_id, b.asset_id, b.reserved,
        CAST(b.available - greatest(least(b.owed, CAST(b.available AS numeric) + b.credit_limit), 0) AS bigint)
            AS available
"""  # noqa: S608 - names of this file
"""What comes to a debtor repays when this is committed; what it is told is what it has then."""


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """A balance as a run of busts leaves it; `traded` is what it adds, `cost` and `realised` None for as before."""

    account: Account
    available: int
    owed: int
    traded: int
    cost: int | None = None
    realised: int | None = None


def balance_rows(run: BustRun) -> Iterator[BalanceRow]:
    """All that a run changes, in the order in which accounts are locked."""
    for account in sorted(run.changed):
        holding, found = run.accounts.holdings[account], run.positions.get(account)
        position = (None, None) if found is None else (found.position.cost, found.position.realised)
        yield BalanceRow(account, holding.available, holding.owed, holding.traded, *position)


def entries_of(session: Statements, run: BustRun, events: Sequence[OwnEvent]) -> list[Entry]:
    """The transfers of a run, each with its id; `events` are what its parties are told."""
    first: dict[tuple[int, int], int] = {}
    for event in reversed(events):
        first[event.each.bust.trade_id, event.broker_id] = event.sequence
    ids = [row.id for row in session.execute(TRANSFER_IDS, {"count": len(run.given)})]
    return [
        Entry(id_, given, first.get((given.trade_id, given.to_broker), 1) - 1)
        for id_, given in zip(ids, run.given, strict=True)
    ]


def store_movements(sent: Pipeline, run: BustRun, entries: Sequence[Entry]) -> None:
    """Add the transfers, what they make somebody owe, and what withdrawals took along."""
    sent.send(ADD_TRANSFERS, *literals(TRANSFERS, entries))
    if advances := [entry for entry in entries if entry.given.kind == ADVANCE]:
        sent.send(ADD_ENTRIES, *literals(ENTRIES, advances))
    if costs := [cost for found in run.positions.values() for cost in found.costs.items()]:
        sent.send(CHANGE_COSTS, *literals(COSTS, costs))
    first = {account: found.before for account, found in run.positions.items()}
    sent.send(FORGET_POINTS, *literals(POINTS, sorted(first.items())))


def keep_debtors_back(
    sent: Pipeline, debtors: Sequence[int], cancels: Mapping[Account, Sequence[OrderToCancel]]
) -> None:
    """Let debtors only close what they have, and ask for the cancels of orders that reserve what they owe."""
    if debtors:
        array = "{" + ",".join(map(str, sorted(debtors))) + "}"
        sent.send(CLOSE_ONLY, array)
        sent.send(BLOCK, array)
    if orders := [each for wanted in cancels.values() for each in wanted]:
        sent.send(CANCEL, *literals(CANCELS, orders), PAYLOAD)


def change_balances(sent: Pipeline, run: BustRun) -> Answer:
    """Change the balances: the rows {broker_id, asset_id, available, reserved} as they are then."""
    return sent.send(CHANGE_BALANCES, *literals(BALANCES, list(balance_rows(run))))
