"""A stream of random trading on a floor: every kind of command, turns of any size, some of them rolled back.

The same seed gives the same requests; what they come upon may differ, because expiry follows the database's clock.
"""

import itertools
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from database.session import transaction
from models import CASH
from services.accounts.deposits import deposit, withdraw
from services.clearing.busting.position_points import take_points
from services.clearing.requests import Asker, ask, confirm
from services.errors import InsufficientFunds, InsufficientShares, MarketError
from services.identity.suspension import release_debtors
from services.matching.books import Books
from services.matching.match import Hooks, match_turn
from services.order_entry.changing.expire import expire_due_orders
from services.order_entry.placing.answers import Placed
from services.order_entry.requests import NewOrder
from settings.clearing import Clearing
from tests.services.floor import Floor

STOCKS = (
    {"reference": 3_500},
    {"reference": 3_500, "execution_price": "seller", "self_trade_prevention": "decrement", "tick_size": 5},
    {"reference": None, "self_trade_prevention": "cancel_both", "lot_size": 5},
    {"reference": 3_500, "self_trade_prevention": "none", "band_bps": 0},
    {"reference": 3_500, "band_reference": "last", "dynamic_band_bps": 60},
)
BROKERS = (
    {"cash": 4_000_000, "shares": 400},
    {"cash": 2_000_000, "shares": 50, "short_limit": 200},
    {"cash": 300_000, "shares": 100},
    {"cash": 0, "shares": 0, "credit_limit": 3_000_000, "short_limit": 300},
)
FEES = (None, (3, 7), (999, 1_000), (5, 0))
"""Maker and taker, in basis points; those of a broker change now and then."""

CLEARING = Clearing(second_person_above=200_000, guarantee_limit=3_000_000)
"""Two people decide about some of the busts, and the guarantee account cannot always advance what is missing."""

STP_MODES = (None, None, None, "none", "cancel_resting", "cancel_incoming", "cancel_both", "decrement")


class RolledBack(Exception):
    """A worker that dies before it commits."""


class Stream:
    """Random trading; `seen` counts what happened."""

    def __init__(self, floor: Floor, seed: int) -> None:
        self.floor = floor
        self.random = random.Random(seed)
        self.symbols = [floor.stock(**stock) for stock in STOCKS]
        self.brokers = [self._broker(**broker) for broker in BROKERS]
        self.workers = [Books(), Books()]
        self.orders: list[tuple[int, int]] = []
        self.repeatable: list[NewOrder] = []
        self.seen: Counter[str] = Counter()
        self.people = [Asker("first", self._person()), Asker("second", self._person())]
        self.pending: list[int] = []
        self.changes = itertools.cycle(("auction", "halted", "roll", "pre_open", "closed", "uncross", "auction"))
        self.deposited = self._cash()
        for broker, rates in zip(self.brokers, FEES, strict=True):
            if rates:
                floor.charge(broker, *rates)

    def _person(self) -> int:
        (row,) = self.floor.query(
            "INSERT INTO users (username, password_hash, role) "
            "SELECT 'stream-' || (count(*) + 1), 'x', 'clearing' FROM users RETURNING id"
        )
        return int(row.id)

    def _broker(self, cash: int, shares: int, **limits: int) -> int:
        return self.floor.broker(cash, **limits, **dict.fromkeys(self.symbols, shares))

    def step(self) -> None:
        """Do one thing."""
        acts = {
            self.place: 20,
            self.amend: 14,
            self.cancel: 5,
            self.match: 14,
            self.roll_back: 2,
            self.let_expire: 2,
            self.move_in_or_out: 4,
            self.change_fees: 1,
            self.close: 3,
            self.change_state: 3,
            self.bust: 8,
        }
        (act,) = self.random.choices(list(acts), weights=list(acts.values()))
        act()

    def place(self) -> None:
        orders = [self._order() for _ in range(self.random.choice((1, 1, 1, 2, 5, 12)))]
        for order, answer in zip(orders, self.floor.place(*orders), strict=True):
            if isinstance(answer, Placed):
                self.orders.append((order.broker_id, answer.order_id))
                self.seen["known" if answer.known else "placed"] += 1
            else:
                self.seen[answer.code()] += 1

    def amend(self) -> None:
        request = {"price": self._price(), "quantity": self.random.randrange(1, 13) * 5}
        for name in self.random.choice(((), (), ("price",), ("quantity",))):
            del request[name]
        if self.random.random() < 0.25:
            request["stop_price"] = self._price()
            if self.random.random() < 0.6:
                request.pop("price", None)  # a stop without a limit has none
        if self.random.random() < 0.2:
            request["valid_until"] = self.random.choice((None, self._soon()))
        self._ask_for(self.floor.amend, **request)

    def cancel(self) -> None:
        self._ask_for(self.floor.cancel)

    def match(self) -> None:
        limit = self.random.choice((1, 3, 20, 500))
        turn = self.floor.match(*self._some(), limit=limit, books=self._worker(), clearing=CLEARING)
        self.seen["trades"] += turn.trades

    def change_state(self) -> None:
        """Operators and schedules: a stock is soon open again, or there would be little to see."""
        symbol = self.random.choice(self.symbols)
        change = next(self.changes)
        self.seen[change] += 1
        if change in ("uncross", "roll"):
            self.floor.change(symbol, change)
            return
        self.floor.change(symbol, "state", change, only_from=self.random.choice((None, ["open", "auction"])))
        self.place()
        self.place()
        self.floor.change(symbol, "state", "open")

    def roll_back(self) -> None:
        def die() -> None:
            raise RolledBack

        books = self._worker()
        try:
            with transaction(self.floor.engine) as session:
                hooks = Hooks(before_commit=die, clearing=CLEARING)
                match_turn(session, self._some(), books, self.random.choice((1, 3, 20)), hooks=hooks)
        except RolledBack:
            books.forget_all()

    def let_expire(self) -> None:
        with transaction(self.floor.engine) as session:
            self.seen["expiries asked"] += len(expire_due_orders(session))

    def move_in_or_out(self) -> None:
        broker, comes_in = self.random.choice(self.brokers), self.random.random() < 0.6
        is_cash = self.random.random() < 0.4
        asset = CASH if is_cash else self.floor.symbols[self.random.choice(self.symbols)]
        amount = self.random.randrange(1, 100_000 if is_cash else 40)
        with transaction(self.floor.engine) as session:
            try:
                if comes_in:
                    cost = 0 if is_cash else self.random.randrange(200_000)
                    deposit(session, broker, asset, amount, cost=cost)
                else:
                    withdraw(session, broker, asset, amount)
            except (InsufficientFunds, InsufficientShares) as refusal:
                self.seen[refusal.code()] += 1
                return
        self.seen["deposits" if comes_in else "withdrawals"] += 1
        self.deposited += (amount if comes_in else -amount) * is_cash

    def change_fees(self) -> None:
        """Half of the time nobody tells the process that places orders."""
        rates = (self.random.randrange(0, 40), self.random.randrange(0, 40))
        self.floor.charge(self.random.choice(self.brokers), *rates, remembered=self.random.random() < 0.5)
        self.seen["changes of fees"] += 1

    def close(self) -> None:
        """One position or all, perhaps twice before its turn comes."""
        broker, symbol = self.random.choice(self.brokers), self.random.choice((None, *self.symbols))
        for _ in range(self.random.choice((1, 1, 2))):
            try:
                asked = self.floor.close(broker, symbol)
            except MarketError as refusal:
                self.seen[refusal.code()] += 1
                return
            for answer in asked.values():
                if isinstance(answer, MarketError):
                    self.seen[answer.code()] += 1
                else:
                    self.seen["positions closed"] += 1
                    self.orders.append((broker, answer.order_id))

    def bust(self) -> None:
        """One of the latest trades: taken back or adjusted, by somebody who needs a second person or not."""
        recent = self.floor.query(
            "SELECT id, price FROM trades WHERE stock_id = ANY(:stocks) ORDER BY id DESC LIMIT 30",
            stocks=[self.floor.symbols[symbol] for symbol in self.symbols],
        )
        trade = self.random.choice(recent) if recent else None
        new_price = None if trade is None or self.random.random() < 0.7 else trade.price + self.random.choice((-7, 7))
        asker = self.random.choice((Asker("rule price", rule="price"), *self.people))
        with transaction(self.floor.engine) as session:
            try:
                if self.pending and self.random.random() < 0.4:
                    person = self.random.choice(self.people).person
                    confirm(session, self.pending.pop(), person, "somebody", 1_800)
                elif trade is not None:
                    bust = ask(session, trade.id, "random", asker, new_price=new_price)
                    self.pending += [bust.bust_id] if self.random.random() < 0.5 else []
                self.seen["busts asked"] += 1
            except MarketError as refusal:
                self.seen[refusal.code()] += 1
        with transaction(self.floor.engine) as session:
            if self.random.random() < 0.3:
                take_points(session, 1_800)
            self.seen["debtors released"] += len(release_debtors(session))

    def drain(self) -> None:
        """Match everything that waits."""
        while self.floor.match(*self.symbols, books=self._worker(), clearing=CLEARING).commands:
            pass

    def check_cash(self) -> None:
        """No cash was made or lost on the way; some of it went to the exchange."""
        assert self._cash() == self.deposited

    def _cash(self) -> int:
        (held,) = self.floor.query(
            "SELECT sum(available + reserved) AS cents FROM balances WHERE asset_id = 1 "
            "AND (broker_id = ANY(:brokers) OR broker_id < 0)",
            brokers=self.brokers,
        )
        return int(held.cents)

    def _ask_for(self, act, **request) -> None:
        if not self.orders:
            return
        broker, order = self.random.choice(self.orders[-12:])
        try:
            act(broker, order, **request)
            self.seen[act.__name__] += 1
        except MarketError as refusal:
            self.seen[refusal.code()] += 1

    def _order(self) -> NewOrder:
        if self.repeatable and self.random.random() < 0.05:
            return self.random.choice(self.repeatable)
        chance = self.random.random()
        fields: dict[str, Any] = {
            "document_number": self.random.choice("12"),
            "self_trade_prevention": self.random.choice(STP_MODES),
            "client_order_id": f"c{self.random.randrange(200)}" if self.random.random() < 0.3 else None,
        }
        price = None if self.random.random() < 0.1 else self._price()
        quantity = self.random.randrange(1, 13) * 5
        if self.random.random() < 0.15:
            fields["stop_price"] = self._price()
        if chance < 0.25:
            fields["time_in_force"] = self.random.choice(("ioc", "ioc", "fok"))
        elif chance < 0.4 and (price or "stop_price" in fields):
            fields["valid_until"] = self._soon()
        elif price:
            fields |= self._resting(quantity, "stop_price" in fields)
        order = self.floor.order(
            self.random.choice(self.brokers),
            self.random.choice(self.symbols),
            self.random.choice(("bid", "ask")),
            quantity,
            price,
            **fields,
        )
        if order.request.client_order_id:
            self.repeatable.append(order)
        return order

    def _resting(self, quantity: int, is_stop: bool) -> dict[str, Any]:
        chance = self.random.random()
        if chance < 0.2:
            return {"display_quantity": self.random.randrange(1, quantity // 5 + 1) * 5}
        if chance < 0.3 and not is_stop:
            return {"post_only": True}
        return {"time_in_force": "day"} if chance < 0.45 else {}

    def _price(self) -> int:
        return 3_500 + 5 * self.random.randrange(-12, 13) + (self.random.random() < 0.1)

    def _soon(self) -> datetime:
        return datetime.now(UTC) + timedelta(milliseconds=self.random.choice((5, 30, 100, 10_000)))

    def _some(self) -> list[str]:
        return self.random.sample(self.symbols, self.random.randrange(1, len(self.symbols) + 1))

    def _worker(self) -> Books:
        return self.random.choice(self.workers)
