"""Orders are stored together or not at all; who could not pay lately goes the careful way by himself."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError

from database.errors import sqlstate
from database.session import in_transaction
from services.errors import BrokerSuspended, InsufficientFunds, InsufficientShares, TooManyOpenOrders
from services.identity.suspension import suspend
from services.order_entry.order_needs import needs_of
from services.order_entry.placing.answers import Placed
from services.order_entry.placing.memory import DOUBT, OrderMemory
from services.order_entry.placing.place import place_orders
from services.order_entry.placing.room import NO_LIMIT
from services.order_entry.placing.store import PLACE_IN_TURN
from services.order_entry.placing.store_together import (
    MOST,
    RESERVE,
    SHORT,
    STORE,
    STORE_CHARGED,
    Need,
    needs_of_accounts,
)
from services.settlement.fees import FeeRates
from services.stocks.listing import rules_of
from settings.sections import Limits
from tests.services.floor import MONEY


class Desk:
    """Places orders with the memory of a process, and notes which statements each round executed."""

    def __init__(self, floor):
        self.floor, self.memory, self.rounds, self.now = floor, OrderMemory(), [], datetime.now(UTC)

    def place(self, *orders):
        floor = self.floor
        return place_orders(self._commit, orders, {}, floor.market, self.now, floor.limits, self.memory)

    def _commit(self, work):
        statements = []

        def noting(session):
            execute = session.execute
            session.execute = lambda statement, *values: (statements.append(statement), execute(statement, *values))[1]
            return work(session)

        self.rounds.append(statements)
        return in_transaction(self.floor.engine, noting)

    def took(self):
        """How each round since last asked stored its orders."""
        ways = {RESERVE: "reserve", STORE: "store", STORE_CHARGED: "store", PLACE_IN_TURN: "in turn"}
        rounds, self.rounds = self.rounds, []
        return [[ways[one] for one in statements if one in ways] for statements in rounds]


TOGETHER, IN_TURN = ["reserve", "store"], ["in turn"]


def funded(floor, *orders):
    def rules(session):
        return rules_of(session, {order.request.symbol for order in orders})

    found, refused = needs_of(
        dict(enumerate(orders)), in_transaction(floor.engine, rules), floor.market, datetime.now(UTC)
    )
    assert not refused
    return list(found.values())


def test_ids_and_commands_come_in_the_order_of_the_orders(floor):
    symbol, desk = floor.stock(), Desk(floor)
    brokers = [floor.broker(**{symbol: 10}) for _ in range(3)]
    orders = [floor.order(brokers[n % 3], symbol, "bid", 1 + n, 3_400) for n in range(9)]
    ids = [answer.order_id for answer in desk.place(*orders)]
    assert desk.took() == [TOGETHER]
    assert ids == sorted(ids)
    assert [floor.row(order_id).quantity for order_id in ids] == list(range(1, 10))
    commands = floor.query("SELECT order_id FROM commands WHERE order_id = ANY(:ids) ORDER BY id", ids=ids)
    assert [row.order_id for row in commands] == ids


def test_each_account_is_asked_once_in_the_order_in_which_all_lock_them(floor):
    first, second = floor.stock(), floor.stock()
    rich, seller = floor.broker(), floor.broker(**{second: 5})
    a, b = floor.symbols[first], floor.symbols[second]
    orders = funded(
        floor,
        floor.order(seller, second, "ask", 3, 3_500),
        floor.order(rich, first, "bid", 2, 3_400),
        floor.order(rich, second, "bid", 1, 3_300),
        floor.order(rich, first, "bid", 1, 3_400),
    )
    assert needs_of_accounts(orders, Limits(open_orders=9, open_orders_per_stock=0)) == [
        ((rich, 1), Need(9, 3 * 3_400 + 3_300, 3)),
        ((rich, a), Need(NO_LIMIT, 0, 2)),
        ((rich, b), Need(NO_LIMIT, 0, 1)),
        ((seller, 1), Need(9, 0, 1)),
        ((seller, b), Need(NO_LIMIT, 3, 1)),
    ]


@pytest.mark.parametrize("versions", [(0, 1), (1, 0), (0, 0)], ids=str)
def test_orders_with_the_fees_of_before_go_the_careful_way(floor, versions):
    """Of two keys of a broker one may still be remembered with them."""
    symbol, broker, desk = floor.stock(), floor.broker(), Desk(floor)
    floor.charge(broker, 0, 100)
    rates = [FeeRates(0, 100 * version, version) for version in versions]
    orders = [replace(floor.order(broker, symbol, "bid", 1, 3_400), rates=each) for each in rates]
    ids = [answer.order_id for answer in desk.place(*orders)]
    assert desk.took() == [["reserve"], IN_TURN]
    assert [floor.row(order_id).taker_bps for order_id in ids] == [100, 100]
    assert floor.cash(broker)[1] == 2 * (3_400 + 34)


@pytest.mark.parametrize("cash", [3_499, 3_500])
def test_the_last_cent_counts(floor, cash):
    symbol, desk = floor.stock(), Desk(floor)
    broker = floor.broker(cash=cash)
    (answer,) = desk.place(floor.order(broker, symbol, "bid", 1, 3_500))
    assert isinstance(answer, Placed) == (cash == 3_500)
    assert desk.took() == ([TOGETHER] if cash == 3_500 else [["reserve"], IN_TURN])
    assert floor.cash(broker) == (0, 3_500) if cash == 3_500 else (cash, 0)


def test_where_one_cannot_pay_nothing_is_stored_at_first_and_all_others_the_second_time(floor):
    symbol, desk = floor.stock(), Desk(floor)
    rich, poor = floor.broker(**{symbol: 5}), floor.broker(cash=1)
    orders = [floor.order(rich, symbol, "bid", 1, 3_400), floor.order(poor, symbol, "bid", 1, 3_400)]
    placed, refused, sold = desk.place(*orders, floor.order(rich, symbol, "ask", 5, 3_500))
    assert desk.took() == [["reserve"], IN_TURN]
    assert isinstance(placed, Placed)
    assert isinstance(sold, Placed)
    assert isinstance(refused, InsufficientFunds)
    assert floor.cash(rich) == (MONEY - 3_400, 3_400)
    floor.match(symbol)
    assert floor.findings() == []


def test_who_could_not_pay_goes_in_turn_for_a_while_and_nobody_else_does(floor):
    symbol, desk = floor.stock(), Desk(floor)
    rich, poor = floor.broker(**{symbol: 5}), floor.broker(cash=7_000)
    desk.place(floor.order(poor, symbol, "bid", 3, 3_500))
    desk.took()
    payable = floor.order(poor, symbol, "bid", 1, 3_500)
    other = floor.order(rich, symbol, "bid", 1, 3_500)
    assert all(isinstance(answer, Placed) for answer in desk.place(payable, other))
    assert desk.took() == [TOGETHER, IN_TURN]
    assert isinstance(desk.place(payable)[0], Placed)
    assert desk.took() == [[], IN_TURN]
    desk.now += DOUBT
    assert isinstance(desk.place(payable, other)[0], InsufficientFunds)
    assert desk.took() == [["reserve"], IN_TURN]


@pytest.mark.parametrize("reason", ["shares", "room", "known", "suspended", "huge"])
def test_every_reason_to_go_the_careful_way(floor, reason):
    symbol, desk = floor.stock(), Desk(floor)
    broker, other = floor.broker(**{symbol: 5}), floor.broker(**{symbol: 5})
    known = floor.order(broker, symbol, "bid", 1, 3_400, client_order_id="a")
    orders = [floor.order(broker, symbol, "bid", 1, 3_400)]
    if reason == "shares":
        orders, wanted = [floor.order(broker, symbol, "ask", 6, 3_400)], InsufficientShares
    elif reason == "room":
        floor.limits = Limits(open_orders=1)
        desk.place(*orders)
        wanted = TooManyOpenOrders
    elif reason == "known":
        (first,) = desk.place(known)
        orders, wanted = [known], Placed
    elif reason == "suspended":
        in_transaction(floor.engine, lambda session: suspend(session, broker))
        wanted = BrokerSuspended
    else:
        orders, wanted = [floor.order(broker, symbol, "bid", 10**9, 3_400) for _ in range(10)], InsufficientFunds
    desk.took()
    innocent = floor.order(other, symbol, "bid", 1, 3_300)
    *answers, placed = desk.place(*orders, innocent)
    floor.limits = Limits()
    assert desk.took()[-1] == IN_TURN
    assert {type(answer) for answer in answers} == {wanted}
    assert isinstance(placed, Placed)
    if reason == "known":
        assert answers == [Placed(first.order_id, "pending", True)]
    assert desk.memory.is_doubtful(broker, desk.now)
    assert not desk.memory.is_doubtful(other, desk.now)


def test_more_than_an_account_can_have_is_not_even_asked_for(floor, monkeypatch):
    symbol, desk = floor.stock(), Desk(floor)
    assert MOST == 2**63 - 1
    monkeypatch.setattr("services.order_entry.placing.store_together.MOST", 7_000)
    assert isinstance(desk.place(floor.order(floor.broker(), symbol, "bid", 2, 3_500))[0], Placed)
    assert isinstance(desk.place(floor.order(floor.broker(), symbol, "bid", 2, 3_501))[0], Placed)
    assert desk.took() == [TOGETHER, [], IN_TURN]


def test_what_is_neither_short_nor_known_is_raised(floor, monkeypatch):
    symbol, desk = floor.stock(), Desk(floor)
    order = floor.order(floor.broker(), symbol, "bid", 1, 3_500)
    monkeypatch.setattr("services.order_entry.placing.store_together.SHORT", "MX999")
    with pytest.raises(DBAPIError) as raised:
        desk.place(floor.order(floor.broker(cash=1), symbol, "bid", 1, 3_500))
    assert sqlstate(raised.value) == SHORT
    monkeypatch.setattr("services.order_entry.placing.store_together.CLIENT_ORDER_ID", "another")
    known = floor.order(order.broker_id, symbol, "bid", 1, 3_500, client_order_id="a")
    desk.place(known)
    with pytest.raises(IntegrityError):
        desk.place(known)


def test_the_memory_of_doubts_is_bounded_by_time():
    memory, now = OrderMemory(), datetime.now(UTC)
    for broker in range(1_000):
        now += DOUBT / 100
        memory.doubt([broker], now)
    assert len(memory._doubtful) <= 100
    assert memory.is_doubtful(999, now)
    assert not memory.is_doubtful(1, now)
