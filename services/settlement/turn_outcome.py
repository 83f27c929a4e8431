"""What one turn of the worker brings: from the engine's events to trades, movements and reports, still in memory."""

from collections import Counter
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from typing import Any

import orjson

from engine.terms.codes import SELF_TRADE_PREVENTION, VOLATILITY
from engine.terms.commands import Amend, Close, New
from engine.terms.events import (
    Accepted,
    Amended,
    AuctionTrade,
    Cancelled,
    Event,
    Expired,
    Rejected,
    StateChanged,
    Trade,
    Triggered,
)
from engine.terms.orders import BID, SIDE_NAMES, Order
from models import CASH
from services.settlement.execution_reports import ExecutionReport, rejection, reports_of
from services.settlement.ledger import Account, Ledger, asset_of, broker_of, order_id_of
from services.settlement.turn_records import Announcement, CommandUpdate, Execution, OrderUpdate, StockTurn

CANCELLED = "cancelled"


def _setter_of(row: Any, event: StateChanged) -> str:
    """Who gave a stock its state: the price itself, by a trade; somebody whom the command names; else a schedule."""
    if event.reason == VOLATILITY:
        return "volatility"
    return "operator" if row.kind == "state" and orjson.loads(row.payload).get("by") else "schedule"


@dataclass
class TurnOutcome:
    """Everything that a turn is to store and to tell."""

    ledger: Ledger = field(default_factory=Ledger)
    executions: list[Execution] = field(default_factory=list)
    announcements: list[Announcement] = field(default_factory=list)
    commands: list[CommandUpdate] = field(default_factory=list)
    order_updates: dict[int, OrderUpdate] = field(default_factory=dict)
    prevented: dict[int, int] = field(default_factory=dict)
    """Shares that self-trade prevention took, by order."""
    amended_stops: set[int] = field(default_factory=set)
    """Orders with a stop price that were amended."""
    triggered: dict[int, str] = field(default_factory=dict)
    """When stops were elected, by order."""
    reports: list[tuple[StockTurn, ExecutionReport]] = field(default_factory=list)
    hooked: Set[int] = frozenset()
    """Brokers that have a hook for trades, or had one just now."""
    reserving: set[Account] = field(default_factory=set)
    """Accounts that the turn's commands reserved from before they were taken: their owners are told of that, too."""

    def take(self, stock: StockTurn, row: Any, command: Any, events: Sequence[Event], reference: int | None) -> None:
        """Book what `command` (the inbox's `row`) did; its sequence and time are already in `stock`.

        `reference` (cents) is what the band lay around before it.
        """
        taken = CommandUpdate(row.id, stock.command_sequence, stock.sequenced_at)
        self.commands.append(taken)
        reports = reports_of(events)
        first_trade = len(self.executions)
        freed = 0
        for event in events:
            match event:
                case Trade():
                    stock.changed |= {event.maker.side, event.taker.side}  # in an auction both rest
                    self._execute(stock, event, reference)
                case Rejected():
                    taken.refused = event.code
                case Cancelled() | Expired():
                    stock.changed.add(event.order.side)
                    self.ledger.release_unfilled(event.order, stock.id, event.quantity)
                    self._note_prevented(event)
                case Accepted():
                    self._accept(stock, row, command, event.order)
                case Amended():
                    freed += self._amend(stock, event)
                case _:
                    self._note_market(stock, row, event)
        if isinstance(command, New | Close):
            if taken.refused:
                reports.append(rejection(command.order, Rejected(row.order_id, taken.refused)))
            self._enter(stock, row, command, taken.refused)
        self._note_trades(reports, first_trade)
        self._report(stock, reports)
        if isinstance(command, Amend):
            self._free(stock, row, freed)

    def refuse(self, stock: StockTurn, row: Any, command: Any, code: str, error: str | None = None) -> None:
        """Book a command that is kept from the engine; what it had set aside is released."""
        taken = CommandUpdate(row.id, stock.command_sequence, stock.sequenced_at, code, error)
        self.commands.append(taken)
        if isinstance(command, New | Close):
            self._enter(stock, row, command, code)
            self._report(stock, [rejection(command.order, Rejected(row.order_id, code))])
        elif isinstance(command, Amend):
            self._free(stock, row, 0)

    def closed(self) -> Counter[Account]:
        """How many orders the turn closed, by the balances that count them: of cash, and of the stock."""
        closed = [update for update in self.order_updates.values() if update.closed]
        return Counter((broker_of(update.order), asset) for update in closed for asset in (CASH, update.stock_id))

    def _note_trades(self, reports: Sequence[ExecutionReport], first_trade: int) -> None:
        """Say of each fill which trade it is of: every trade has two reports, one after the other."""
        fills = [report for report in reports if isinstance(report.event, Trade)]
        for number, report in enumerate(fills):
            report.trade_index = first_trade + number // 2

    def _note_prevented(self, event: Cancelled | Expired) -> None:
        if isinstance(event, Cancelled) and event.reason == SELF_TRADE_PREVENTION:
            order_id = order_id_of(event.order)
            self.prevented[order_id] = self.prevented.get(order_id, 0) + event.quantity

    def _note_market(self, stock: StockTurn, row: Any, event: Event) -> None:
        """Note an elected stop, which then shows in the book, or another trading state, which is told on the tape."""
        match event:
            case Triggered():
                stock.changed.add(event.order.side)
                self.triggered[order_id_of(event.order)] = stock.sequenced_at
            case StateChanged():
                stock.event_sequence += 1
                stock.state, stock.set_by = event, _setter_of(row, event)
                sequence, changed_at = stock.event_sequence, stock.sequenced_at
                said = Announcement(stock.id, stock.symbol, sequence, event, stock.set_by, changed_at)
                self.announcements.append(said)

    def _execute(self, stock: StockTurn, trade: Trade, reference: int | None) -> None:
        taker, maker = trade.taker, trade.maker
        bid, ask = (taker, maker) if taker.side == BID else (maker, taker)
        stock.event_sequence += 1
        execution = Execution(
            stock.id,
            stock.symbol,
            stock.event_sequence,
            stock.command_sequence,
            bid,
            ask,
            trade.price,
            trade.quantity,
            reference,
            SIDE_NAMES[taker.side],
            stock.sequenced_at,
            type(trade) is AuctionTrade,
        )
        self.ledger.settle(execution, len(self.executions), stock.fee_account)
        self.executions.append(execution)

    def _amend(self, stock: StockTurn, event: Amended) -> int:
        """What the order needs less than before."""
        stock.changed.add(event.order.side)
        if event.order.stop_price is not None:
            self.amended_stops.add(order_id_of(event.order))
        return self.ledger.amend(event.order, event)

    def _accept(self, stock: StockTurn, row: Any, command: Any, order: Order) -> None:
        stock.changed.add(order.side)
        if type(command) is Close:
            self.ledger.reserve_more(order, stock.id, row.reserved)

    def _enter(self, stock: StockTurn, row: Any, command: New | Close, refused: str | None) -> None:
        order = command.order
        account = broker_of(order), asset_of(order, stock.id)
        self.reserving.add(account)
        update = OrderUpdate(order, stock.id, "open", stock.sequenced_at, stock.command_sequence)
        if refused:
            update.status, update.close_reason = "rejected", refused
            if isinstance(command, Close):
                self.ledger.release(*account, row.reserved, row.order_id)
            else:
                self.ledger.release_unfilled(order, stock.id, order.quantity)
        self.order_updates[order_id_of(order)] = update

    def _report(self, stock: StockTurn, reports: Sequence[ExecutionReport]) -> None:
        for report in reports:
            update = self.order_updates.get(order_id_of(report.order))
            if update is None:
                update = self.order_updates[order_id_of(report.order)] = OrderUpdate(
                    report.order, stock.id, report.status, stock.sequenced_at
                )
            update.status = report.status
            if report.status == CANCELLED:
                update.close_reason = report.event.reason  # type: ignore[union-attr] # a Cancelled
            self.reports.append((stock, report))

    def _free(self, stock: StockTurn, row: Any, freed: int) -> None:
        """Give back what was set aside for the amendment, as far as the order, which has `freed` so much, needs none
        of it."""
        asset = CASH if row.side == "bid" else stock.id
        if row.reserved:
            self.reserving.add((row.broker_id, asset))
        self.ledger.release(row.broker_id, asset, row.reserved + freed, row.order_id)
