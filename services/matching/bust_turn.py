"""A turn of busts: like any other it takes commands of the inbox, but what it settles are the trades of before.

Busts that follow each other in the inbox are a turn of their own, so that whatever they change is locked, read and
worked out within one transaction. No order and no book is changed by them, but the last price.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import takewhile
from typing import Any, Final

import orjson

from database.pipeline import committing_pipeline
from database.transaction import Transaction
from engine.terms.commands import Correct
from services.clearing.busting.admission import Confirmation
from services.clearing.busting.bust import BustCommand, BustRun, decide
from services.clearing.busting.debts import OrderToCancel, orders_to_cancel, stocks_of
from services.clearing.busting.loading import hooked_brokers
from services.clearing.busting.store_accounts import (
    Entry,
    change_balances,
    entries_of,
    keep_debtors_back,
    store_movements,
)
from services.clearing.busting.store_busts import DecidedRow, add_own_events, decide_busts, mark_trades
from services.clearing.busting.told import WEBHOOKS, OwnEvent, own_events, tape_event
from services.matching.books import Books
from services.matching.carry_out import turn_of
from services.matching.messages import Message
from services.matching.turn import BustsToTell, CommittedTurn, TakenStocks, shown_book
from services.settlement.appended_rows import insert_events, take_commands
from services.settlement.ledger import Account
from services.settlement.settle import StoredTurn
from services.settlement.stock_rows import StockInTurn, update_stocks
from services.settlement.turn_outcome import TurnOutcome
from services.settlement.turn_records import CommandUpdate
from settings.clearing import Clearing

BUST: Final = "bust"


def before_a_bust(inbox: Sequence[Any]) -> list[Any]:
    """The commands that a turn takes of this inbox: the busts that it begins with, else those up to the first one."""
    if inbox[0].kind == BUST:
        return list(takewhile(lambda row: row.kind == BUST, inbox))
    return list(takewhile(lambda row: row.kind != BUST, inbox))


class BustTurn:
    """The busts of one turn, from their commands to the commit."""

    def __init__(
        self, session: Transaction, stocks: Sequence[Any], inbox: Sequence[Any], books: Books, terms: Clearing
    ) -> None:
        self.session, self.inbox, self.books = session, inbox, books
        wanted = {row.stock_id for row in inbox}
        rows = [stock for stock in stocks if stock.id in wanted]
        current = books.current(session, rows)
        self.stocks: TakenStocks = {stock.id: (stock, turn_of(stock), current[stock.id]) for stock in rows}
        self.run: BustRun = decide(session, [self._command(row) for row in inbox], terms)
        self.outcome = TurnOutcome()
        self.tape: list[dict[str, Any]] = []
        for row, each in zip(inbox, self.run.decided, strict=True):
            stock, turn, book = self.stocks[row.stock_id]
            turn.command_sequence += 1
            update = CommandUpdate(row.id, turn.command_sequence, turn.sequenced_at, each.refused)
            self.outcome.commands.append(update)
            if each.refused is None:
                book.apply(Correct(each.last_price), turn.now)
                turn.event_sequence += 1
                each.event_sequence = turn.event_sequence
                self.tape.append(tape_event(each, stock.symbol))

    def _command(self, row: Any) -> BustCommand:
        stock, _, _ = self.stocks[row.stock_id]
        payload = orjson.loads(row.payload)
        confirmed = payload.get("confirmed_by")
        confirmation = None
        if confirmed is not None:
            at = datetime.fromisoformat(confirmed["at"])
            confirmation = Confirmation(confirmed["person"], confirmed["name"], at)
        share_value = stock.reference_price or stock.last_price or 0
        return BustCommand(row.id, payload["bust_id"], confirmation, stock.now, stock.fee_account, share_value)

    def store(self, meanwhile: Callable[[], None]) -> CommittedTurn:
        """Store all of it and commit; `meanwhile` is done while PostgreSQL works."""
        events = own_events(self.run, {stock_id: stock.symbol for stock_id, (stock, _, _) in self.stocks.items()})
        told = self._number_deliveries(events)
        entries = entries_of(self.session, self.run, events) if self.run.given else []
        cancels = self._cancels()
        shown: dict[int, dict[int, bytes]] = {}

        def show() -> None:
            meanwhile()
            shown.update((stock_id, shown_book(stock, self.books)) for stock_id, stock in self.stocks.items())

        with committing_pipeline(self.session, show) as sent:
            take_commands(sent, self.outcome)
            rows = [
                DecidedRow(each, command.sequence, cancels)
                for each, command in zip(self.run.decided, self.outcome.commands, strict=True)
            ]
            decide_busts(sent, rows)
            insert_events(sent, self.tape)
            update_stocks(sent, [StockInTurn(turn, book) for _, (_, turn, book) in sorted(self.stocks.items())])
            balances = self._store_parties(sent, events, entries, cancels) if self.run.done else ()
        stored = StoredTurn({}, [row for row in balances if row.broker_id > 0], {})
        private = [Message(("user", event.broker_id), event.kind, event.payload) for event in events]
        more = BustsToTell(private, stocks_of(each for wanted in cancels.values() for each in wanted), told)
        return CommittedTurn(self.outcome, self.tape, (), stored, self.stocks, shown, more)

    def _number_deliveries(self, events: Iterable[OwnEvent]) -> set[int]:
        """Give each event a number for its owner's receiver, where it has one; their owners."""
        brokers = {own.broker_id for own in events}
        hooked = {kind: hooked_brokers(self.session, brokers, WEBHOOKS[kind]) for kind in {own.kind for own in events}}
        told: set[int] = set()
        for own in events:
            if own.broker_id in hooked[own.kind]:
                counter = self.run.parties.counters[own.broker_id]
                counter[1] += 1
                own.webhook_sequence = counter[1]
                told.add(own.broker_id)
        return told

    def _cancels(self) -> dict[Account, list[OrderToCancel]]:
        """The orders of each debtor that go, by what they reserve."""
        lacking = {(lack.broker_id, lack.asset_id) for each in self.run.done for lack in each.compensation.shortfalls}
        holdings = self.run.accounts.holdings
        return {
            account: orders_to_cancel(self.session, *account, holdings[account].owed) for account in sorted(lacking)
        }

    def _store_parties(
        self,
        sent: Any,
        events: Sequence[OwnEvent],
        entries: Sequence[Entry],
        cancels: dict[Account, list[OrderToCancel]],
    ) -> Iterable[Any]:
        mark_trades(sent, self.run.done)
        add_own_events(sent, events, self.run.parties.counters)
        store_movements(sent, self.run, entries)
        keep_debtors_back(sent, sorted({broker for broker, _ in cancels}), cancels)
        return change_balances(sent, self.run)
