"""Who owes may cancel, sell what it has, and buy back what it is short of or owes; nothing else until it has repaid."""

import pytest

from database.session import transaction
from models import CASH
from services.accounts.deposits import deposit, withdraw
from services.errors import BrokerCloseOnly, BrokerSuspended
from services.identity.suspension import activate, release_debtors, suspend
from tests.services.clearing.desk import Desk
from tests.services.floor import MONEY


@pytest.fixture
def desk(floor):
    return Desk(floor)


@pytest.fixture
def debtor(floor, desk):
    """A broker that owes 100 shares of a stock, has money, and 50 shares of another stock: it, and both stocks."""
    symbol, other = floor.stock(), floor.stock()
    seller, debtor = floor.broker(**{symbol: 200}), floor.broker(**{other: 50})
    trade = desk.trade(seller, debtor, symbol, 100, 3_500)
    desk.trade(debtor, floor.broker(), symbol, 100, 3_500)
    assert desk.bust(trade) == "done"
    return debtor, symbol, other


def status(floor, broker):
    return floor.query("SELECT status FROM brokers WHERE id = :id", id=broker)[0].status


def test_it_sells_what_it_has_and_no_more(floor, debtor):
    broker, symbol, other = debtor
    with pytest.raises(BrokerCloseOnly):
        floor.ask(broker, other, 51, 3_600)
    with pytest.raises(BrokerCloseOnly):
        floor.ask(broker, symbol, 1, 3_600)
    floor.ask(broker, other, 30, 3_600)
    with pytest.raises(BrokerCloseOnly):
        floor.ask(broker, other, 21, 3_600)
    floor.ask(broker, other, 20, 3_600)


def test_it_buys_back_what_it_owes_and_open_buys_count(floor, debtor):
    broker, symbol, other = debtor
    with pytest.raises(BrokerCloseOnly):
        floor.bid(broker, other, 1, 3_400)
    with pytest.raises(BrokerCloseOnly):
        floor.bid(broker, symbol, 101, 3_400)
    floor.bid(broker, symbol, 60, 3_400)
    with pytest.raises(BrokerCloseOnly):
        floor.bid(broker, symbol, 41, 3_400)
    last = floor.bid(broker, symbol, 40, 3_400)
    floor.match(symbol)
    with pytest.raises(BrokerCloseOnly):
        floor.bid(broker, symbol, 1, 3_400)
    floor.cancel(broker, last)
    floor.match(symbol)
    floor.bid(broker, symbol, 40, 3_400)


def test_orders_of_others_in_the_same_batch_are_placed(floor, debtor):
    broker, symbol, other = debtor
    buyer = floor.broker()
    orders = [
        floor.order(broker, other, "bid", 1, 3_400),
        floor.order(buyer, other, "bid", 1, 3_400),
        floor.order(broker, symbol, "bid", 1, 3_400),
    ]
    first, second, third = floor.place(*orders)
    assert isinstance(first, BrokerCloseOnly)
    assert second.order_id and third.order_id


def test_an_amendment_that_needs_more_is_refused_and_one_that_does_not_is_taken(floor, debtor):
    broker, symbol, _ = debtor
    order = floor.bid(broker, symbol, 50, 3_400)
    floor.match(symbol)
    with pytest.raises(BrokerCloseOnly):
        floor.amend(broker, order, quantity=60)
    floor.amend(broker, order, quantity=40)
    floor.match(symbol)
    assert floor.stands(order)[2] == 40


def test_once_all_is_repaid_it_may_do_everything_again(floor, desk, debtor):
    broker, symbol, other = debtor
    with transaction(floor.engine) as session:
        assert release_debtors(session) == []
        deposit(session, broker, floor.symbols[symbol], 100, cost=350_000)
    assert desk.owed(broker, symbol) == 0
    with transaction(floor.engine) as session:
        assert release_debtors(session) == [broker]
    assert status(floor, broker) == "active"
    floor.bid(broker, other, 1, 3_400)


def test_one_that_was_suspended_and_let_in_again_may_still_only_close(floor, debtor):
    broker, symbol, other = debtor
    with transaction(floor.engine) as session:
        suspend(session, broker)
    with pytest.raises(BrokerSuspended):
        floor.bid(broker, symbol, 1, 3_400)
    with transaction(floor.engine) as session:
        assert activate(session, broker) == ("suspended", "close_only")
    with pytest.raises(BrokerCloseOnly):
        floor.bid(broker, other, 1, 3_400)
    floor.bid(broker, symbol, 1, 3_400)


def test_what_it_sells_repays_before_it_can_be_spent(floor, desk):
    symbol, other = floor.stock(), floor.stock()
    seller, buyer = floor.broker(0, **{symbol: 100, other: 100}), floor.broker()
    trade = desk.trade(seller, buyer, symbol, 100, 3_500)
    with transaction(floor.engine) as session:
        withdraw(session, seller, CASH, 350_000)
    desk.bust(trade)
    assert (desk.owed(seller), floor.cash(buyer)) == (350_000, (MONEY, 0))
    desk.trade(seller, buyer, other, 60, 3_500)
    assert (desk.owed(seller), floor.cash(seller)) == (140_000, (0, 0))
    desk.trade(seller, buyer, other, 40, 3_600)
    assert (desk.owed(seller), floor.cash(seller)) == (0, (4_000, 0))
