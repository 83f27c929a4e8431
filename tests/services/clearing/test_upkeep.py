"""What waits is looked after: confirmations run out, debtors are let go, and busts are done once there is room."""

import pytest

from database.session import transaction
from models import CASH
from services.accounts.deposits import deposit, withdraw
from services.clearing.upkeep import Upkeep
from tests.services.clearing.desk import Desk


@pytest.fixture
def desk(floor):
    return Desk(floor, second_person_above=100_000)


def look_after(floor, upkeep):
    with transaction(floor.engine) as session:
        return upkeep.look_after(session, 1_800)


def test_a_confirmation_that_does_not_come_runs_out(floor, desk):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    bust = desk.ask(desk.trade(seller, buyer, symbol, 100, 3_500), desk.person()).bust_id
    desk.turn()
    look_after(floor, Upkeep())
    assert desk.status(bust) == "needs_confirmation"
    floor.run("UPDATE busts SET asked_at = asked_at - interval '1801 seconds' WHERE id = :id", id=bust)
    look_after(floor, Upkeep())
    assert (desk.status(bust), desk.row(bust).refusal) == ("expired", "bust_window_passed")


def test_whoever_has_repaid_may_trade_again(floor, desk):
    symbol = floor.stock()
    seller, buyer = floor.broker(0, **{symbol: 100}), floor.broker()
    trade = desk.trade(seller, buyer, symbol, 10, 3_500)
    with transaction(floor.engine) as session:
        withdraw(session, seller, CASH, 35_000)
    assert desk.bust(trade) == "done"
    upkeep = Upkeep()
    look_after(floor, upkeep)
    assert seller not in upkeep.released
    with transaction(floor.engine) as session:
        deposit(session, seller, CASH, 35_000)
    look_after(floor, upkeep)
    assert upkeep.released == [seller]
    assert floor.query("SELECT status FROM brokers WHERE id = :id", id=seller)[0].status == "active"
    assert floor.query("SELECT FROM balances WHERE broker_id = :id AND blocked", id=seller) == []


def test_an_order_that_filled_before_its_cancel_is_followed_by_another(floor, desk):
    """The newest order goes first; it fills before its cancel comes, so the next one goes."""
    symbol, other = floor.stock(), floor.stock()
    seller, buyer = floor.broker(34_000, **{symbol: 100}), floor.broker()
    trade = desk.trade(seller, buyer, symbol, 10, 3_500)
    older, newer = floor.bid(seller, other, 10, 3_400), floor.bid(seller, other, 10, 3_500)
    floor.match(other)
    desk.ask(trade)
    floor.ask(floor.broker(**{other: 10}), other, 10, 3_500)
    desk.turn()
    assert desk.owed(seller) == 35_000
    desk.turn()
    assert (floor.stands(newer)[0], floor.stands(older)[0]) == ("filled", "open")
    look_after(floor, Upkeep())
    desk.turn()
    assert (floor.stands(older)[0], desk.owed(seller)) == ("cancelled", 1_000)


def test_a_bust_that_waits_is_tried_again_when_somebody_repays(floor):
    (before,) = floor.query("SELECT coalesce(sum(amount), 0) AS cents FROM receivable_entries WHERE asset_id = 1")
    desk = Desk(floor, guarantee_limit=int(before.cents) + 40_000, second_person_above=10**9)
    symbol = floor.stock()
    sellers = [floor.broker(0, **{symbol: 10}) for _ in range(2)]
    trades = [desk.trade(seller, floor.broker(), symbol, 10, 3_500) for seller in sellers]
    with transaction(floor.engine) as session:
        for seller in sellers:
            withdraw(session, seller, CASH, 35_000)
    first, second = (desk.ask(trade).bust_id for trade in trades)
    desk.turn()
    assert (desk.status(first), desk.status(second)) == ("done", "waiting_for_guarantee")
    upkeep = Upkeep()
    assert look_after(floor, upkeep) != []
    desk.turn()
    assert desk.status(second) == "waiting_for_guarantee"
    assert look_after(floor, upkeep) == []
    with transaction(floor.engine) as session:
        deposit(session, sellers[0], CASH, 35_000)
    look_after(floor, upkeep)
    desk.turn()
    assert desk.status(second) == "done"
