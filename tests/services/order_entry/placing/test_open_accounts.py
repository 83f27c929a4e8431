"""The share account of a first order is opened with it, and what is known to be open is not opened again."""

from datetime import UTC, datetime

from sqlalchemy import text

from database.session import in_transaction, transaction
from services.errors import InsufficientShares
from services.identity.suspension import suspend
from services.order_entry.placing.answers import Placed
from services.order_entry.placing.memory import OrderMemory
from services.order_entry.placing.open_accounts import OPEN
from services.order_entry.placing.place import place_orders
from services.order_entry.placing.store_together import STORE

ACCOUNTS = text("SELECT broker_id, credit_limit, blocked FROM balances WHERE asset_id = :stock ORDER BY broker_id")


class Desk:
    """Places orders and remembers accounts as a web process does; notes what each commit executed."""

    def __init__(self, floor):
        self.floor, self.memory, self.commits = floor, OrderMemory(), []

    def place(self, *orders):
        return place_orders(self._commit, orders, {}, self.floor.market, datetime.now(UTC), memory=self.memory)

    def _commit(self, work):
        statements = []

        def noting(session):
            execute = session.execute

            def note(statement, values):
                statements.append(statement)
                return execute(statement, values)

            session.execute = note
            return work(session)

        self.commits.append(statements)
        return in_transaction(self.floor.engine, noting)

    def stored_with(self):
        """Of each commit since last asked, which statements opened accounts or stored orders."""
        commits, self.commits = self.commits, []
        return [[one for one in statements if one is OPEN or one is STORE] for statements in commits]


def accounts(floor, symbol):
    with transaction(floor.engine) as session:
        return [tuple(row) for row in session.execute(ACCOUNTS, {"stock": floor.symbols[symbol]})]


def test_a_first_bid_and_a_first_short_sale_take_one_commit(floor):
    symbol, desk = floor.stock(), Desk(floor)
    buyer, short = floor.broker(), floor.broker(short_limit=10)
    answers = desk.place(floor.order(buyer, symbol, "bid", 1, 3_500), floor.order(short, symbol, "ask", 10, 3_600))
    assert all(isinstance(answer, Placed) for answer in answers)
    assert desk.stored_with() == [[OPEN, STORE]]
    assert accounts(floor, symbol) == [(buyer, 0, False), (short, 10, False)]
    assert floor.shares(short, symbol) == (-10, 10)


def test_what_is_known_to_be_open_is_not_opened_again(floor):
    symbol, buyer, desk = floor.stock(), floor.broker(), Desk(floor)
    for _ in range(2):
        desk.place(floor.order(buyer, symbol, "bid", 1, 3_500))
    other = floor.broker(**{symbol: 1})
    desk.place(floor.order(other, symbol, "ask", 1, 3_500))
    desk.place(floor.order(other, symbol, "ask", 1, 3_500), floor.order(other, symbol, "bid", 1, 3_000))
    assert desk.stored_with() == [[OPEN, STORE], [STORE], [OPEN, STORE], [], [OPEN]]


def test_who_may_not_sell_short_gets_no_account_and_is_refused(floor):
    symbol, seller, desk = floor.stock(), floor.broker(), Desk(floor)
    for _ in range(2):
        (answer,) = desk.place(floor.order(seller, symbol, "ask", 1, 3_500))
        assert isinstance(answer, InsufficientShares)
    assert accounts(floor, symbol) == []


def test_an_account_that_is_taken_for_open_and_is_not_is_opened_all_the_same(floor):
    symbol, buyer, desk = floor.stock(), floor.broker(), Desk(floor)
    desk.place(floor.order(buyer, symbol, "bid", 1, 3_500))
    another = floor.stock()
    desk.memory.accounts.add((buyer, floor.symbols[another]))
    (answer,) = desk.place(floor.order(buyer, another, "bid", 1, 3_500))
    assert isinstance(answer, Placed)
    assert len(desk.commits) == 3
    assert accounts(floor, another) == [(buyer, 0, False)]


def test_a_suspended_broker_enters_nothing_by_opening_an_account(floor):
    symbol, buyer, desk = floor.stock(), floor.broker(), Desk(floor)
    with transaction(floor.engine) as session:
        suspend(session, buyer)
    (answer,) = desk.place(floor.order(buyer, symbol, "bid", 1, 3_500))
    assert not isinstance(answer, Placed)
    assert accounts(floor, symbol) == [(buyer, 0, True)]


def test_the_memory_of_accounts_is_bounded(floor, monkeypatch):
    symbol, desk = floor.stock(), Desk(floor)
    buyers = [floor.broker() for _ in range(4)]
    monkeypatch.setattr("services.accounts.known_accounts.MOST", 2)
    for buyer in buyers:
        desk.place(floor.order(buyer, symbol, "bid", 1, 3_500))
    assert len(desk.memory.accounts) <= 3
