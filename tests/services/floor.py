"""A trading floor for stories: brokers, stocks and orders that are valid by default, on a real database.

Every act is a transaction of its own, as it is for the processes of the exchange.
"""

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import Engine, Row, text

from database.session import in_transaction, transaction
from models import CASH
from services.accounts.fee_terms import change_fees, terms_of
from services.errors import Failed, MarketError
from services.identity.register import register_broker
from services.matching.books import Books
from services.matching.match import Hooks, Turn, match_turn
from services.order_entry.changing.amend import amend_orders
from services.order_entry.changing.amendments import Amendment
from services.order_entry.changing.cancel import Cancel, cancel_orders
from services.order_entry.changing.close_positions import ask_to_close
from services.order_entry.placing.answers import Placed
from services.order_entry.placing.memory import OrderMemory
from services.order_entry.placing.place import place_orders
from services.order_entry.requests import NewOrder, OrderRequest, QueuedCommand
from services.settlement.fees import NO_FEES, FeeRates
from services.stocks.listing import StockRules, list_stock, rules_of
from services.stocks.trading_states import StateRequest, ask_for
from services.verify import verify
from settings.clearing import Clearing
from settings.sections import Fees, Limits, Market

REFERENCE = 3_500
"""Cents: what a stock is listed at unless a story says otherwise."""

MONEY = 100_000_000
"""Cents that a broker brings unless a story says otherwise: a million."""

numbers = itertools.count(1)


Answer = TypeVar("Answer")


def accepted(answers: Sequence[Answer | MarketError]) -> Answer:
    """The one answer, raising it if it is a refusal."""
    (answer,) = answers
    if isinstance(answer, MarketError):
        raise answer
    assert not isinstance(answer, Failed), answer
    return answer


class Floor:
    """Whatever a story does goes through here; figures are cents and shares."""

    def __init__(self, engine: Engine, market: Market | None = None) -> None:
        self.engine = engine
        self.market = market or Market()
        self.limits = Limits()
        self.books = Books()
        self.symbols: dict[str, int] = {}
        self.fees = Fees()
        self.rates: dict[int, FeeRates] = {}
        """What brokers pay, as a web process remembers it."""

    def stock(self, reference: int | None = REFERENCE, **rules: Any) -> str:
        """List a stock with these fields of `Market`; its symbol."""
        symbol = f"STK{next(numbers)}"
        with transaction(self.engine) as session:
            self.symbols[symbol] = list_stock(
                session,
                symbol=symbol,
                name=f"Stock {symbol}",
                market=replace(self.market, **rules),
                group="A",
                reference_price=reference,
            )
        return symbol

    def broker(self, cash: int = MONEY, *, credit_limit: int = 0, short_limit: int = 0, **shares: int) -> int:
        """Register a broker with `cash` and these shares by symbol; its id."""
        with transaction(self.engine) as session:
            return register_broker(
                session,
                name=f"Broker {next(numbers)}",
                cash=cash,
                positions=shares,
                credit_limit=credit_limit,
                short_limit=short_limit,
            ).broker_id

    def charge(self, broker: int, maker_bps: int | None, taker_bps: int | None, *, remembered: bool = True) -> None:
        """Give a broker fees of its own; unless they are `remembered` its next orders come with those of before."""
        with transaction(self.engine) as session:
            change_fees(session, broker, {"maker_bps": maker_bps, "taker_bps": taker_bps}, self.fees)
            if remembered:
                self.rates[broker] = terms_of(session, [broker])[broker].rates(self.fees)

    def order(self, broker: int, symbol: str, side: str, quantity: int, price: int | None, **fields: Any) -> NewOrder:
        """An order as the API would hand it over; without a price it is a market order, or with `stop_price` a stop."""
        stop = fields.get("stop_price") is not None
        kind = ("stop" if stop else "market") if price is None else ("stop_limit" if stop else "limit")
        values: dict[str, Any] = {
            "document_number": "11144477735",
            "order_type": kind,
            "time_in_force": "ioc" if kind == "market" else "gtd" if fields.get("valid_until") else "gtc",
            **fields,
        }
        values.setdefault("fingerprint", repr((symbol, side, quantity, price, sorted(fields.items()))).encode())
        request = OrderRequest(symbol, side=side, quantity=quantity, price=price, **values)
        return NewOrder(broker, request, rates=self.rates.get(broker, NO_FEES))

    def bid(self, broker: int, symbol: str, quantity: int, price: int | None = None, **fields: Any) -> int:
        """Place a bid that the exchange accepts; its id."""
        return self.accepted(self.order(broker, symbol, "bid", quantity, price, **fields))

    def ask(self, broker: int, symbol: str, quantity: int, price: int | None = None, **fields: Any) -> int:
        """Place an ask that the exchange accepts; its id."""
        return self.accepted(self.order(broker, symbol, "ask", quantity, price, **fields))

    def accepted(self, order: NewOrder) -> int:
        """Place one order, raising the refusal if there is one; its id."""
        return accepted(self.place(order)).order_id

    def rules(self, *symbols: str) -> dict[str, StockRules]:
        """The rules of these stocks as they are now."""
        with transaction(self.engine) as session:
            return rules_of(session, symbols)

    def place(
        self, *orders: NewOrder, rules: Mapping[str, StockRules] | None = None
    ) -> list[Placed | MarketError | Failed]:
        """Place orders in one batch, by the rules of now or by those that are remembered."""
        commit, now = partial(in_transaction, self.engine), datetime.now(UTC)
        return place_orders(commit, orders, rules or {}, self.market, now, self.limits, OrderMemory(self.fees))

    def amend(self, broker: int, order_id: int, **request: Any) -> QueuedCommand:
        """Ask for an amendment."""
        with transaction(self.engine) as session:
            amendment = Amendment(broker, order_id, **request)
            return accepted(amend_orders(session, [amendment], self.market, datetime.now(UTC)))

    def close(self, broker: int, symbol: str | None = None) -> dict[str, QueuedCommand | MarketError]:
        """Ask for one's position in `symbol`, or all of one's positions, to be closed; the answers by symbol."""
        with transaction(self.engine) as session:
            asked = ask_to_close(session, broker, self.market, self.fees, symbol)
        return {closing.symbol: closing.asked for closing in asked}

    def cancel(self, broker: int, order_id: int) -> QueuedCommand:
        """Ask for a cancel."""
        with transaction(self.engine) as session:
            return accepted(cancel_orders(session, [Cancel(broker, order_id)]))

    def change(self, symbol: str, kind: str, state: str | None = None, **fields: Any) -> int:
        """Ask for another state (`"state", "halted"`), the end of an auction or of a day; the command's id."""
        with transaction(self.engine) as session:
            return ask_for(session, symbol, StateRequest(kind, state, **fields))

    def put_into(self, symbol: str, state: str) -> None:
        """Give the stock another state, at once."""
        self.change(symbol, "state", state)
        self.match(symbol)

    def match(
        self, *symbols: str, limit: int = 2_000, books: Books | None = None, clearing: Clearing | None = None
    ) -> Turn:
        """One committed turn over these stocks, or all of them."""
        hooks = Hooks(clearing=clearing or Clearing())
        books = self.books if books is None else books
        with transaction(self.engine) as session:
            turn = match_turn(session, symbols or list(self.symbols), books, limit, hooks=hooks)
        turn.committed(books)
        return turn

    def run(self, statement: str, **values: Any) -> None:
        """Change the database behind everybody's back."""
        with transaction(self.engine) as session:
            session.execute(text(statement), values)

    def query(self, statement: str, **values: Any) -> Sequence[Row[Any]]:
        """What the database answers now."""
        with transaction(self.engine) as session:
            return session.execute(text(statement), values).all()

    def row(self, order_id: int) -> Row[Any]:
        """An order as stored."""
        return self.query("SELECT * FROM orders WHERE id = :id", id=order_id)[0]

    def stands(self, order_id: int) -> tuple[str, int, int, int]:
        """An order's status, and its filled, remaining and cancelled shares."""
        row = self.row(order_id)
        return row.status, row.filled_quantity, row.remaining_quantity, row.cancelled_quantity

    def cash(self, broker: int) -> tuple[int, int]:
        """Available and reserved cents."""
        return self._held(broker, CASH)

    def shares(self, broker: int, symbol: str) -> tuple[int, int]:
        """Available and reserved shares."""
        return self._held(broker, self.symbols[symbol])

    def _held(self, broker: int, asset: int) -> tuple[int, int]:
        rows = self.query(
            "SELECT available, reserved FROM balances WHERE broker_id = :broker AND asset_id = :asset",
            broker=broker,
            asset=asset,
        )
        return (rows[0].available, rows[0].reserved) if rows else (0, 0)

    def position(self, broker: int, symbol: str) -> tuple[int, int]:
        """What the shares cost at average cost, and the realised profit, in cents."""
        rows = self.query(
            "SELECT cost, realised_pnl FROM balances WHERE broker_id = :broker AND asset_id = :asset",
            broker=broker,
            asset=self.symbols[symbol],
        )
        return rows[0].cost, rows[0].realised_pnl

    def trades(self, symbol: str) -> list[tuple[int, int, int, int]]:
        """The stock's tape: quantity, price, buy order, sell order."""
        rows = self.query("SELECT * FROM trades WHERE stock_id = :id ORDER BY sequence", id=self.symbols[symbol])
        return [(row.quantity, row.price, row.buy_order_id, row.sell_order_id) for row in rows]

    def transfers(self, order_id: int) -> list[tuple[str, int, int, int]]:
        """What moved for an order: kind, amount, from broker, to broker."""
        rows = self.query("SELECT * FROM transfers WHERE order_id = :id ORDER BY id", id=order_id)
        return [(row.kind, row.amount, row.from_broker, row.to_broker) for row in rows]

    def refusals(self, order_id: int) -> list[str | None]:
        """Why each sequenced command of an order had no effect, in order; None for those that had."""
        rows = self.query(
            "SELECT refused FROM commands WHERE order_id = :id AND sequence IS NOT NULL ORDER BY sequence", id=order_id
        )
        return [row.refused for row in rows]

    def until_somebody_waits(self, seconds: float = 10.0, *, waiters: int = 1) -> None:
        """Return once so many connections to this database wait for another one's lock."""
        deadline = time.monotonic() + seconds
        waiting = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        while len(self.query(waiting)) < waiters:
            assert time.monotonic() < deadline, "nobody came to wait for a lock"
            time.sleep(0.005)

    def findings(self) -> list[str]:
        """What is not as it must always be, the replay of the journal included."""
        with transaction(self.engine) as session:
            report = verify(session, replay=True)
        return [str(finding) for check in report.checks for finding in check.findings]


def reasons(messages: Mapping[str, Any] | Sequence[Any]) -> list[str]:
    """The kinds of events among a turn's messages, in order."""
    return [message.event for message in messages]
