"""What a bust gave and took is in the statements of both, each line with the balance after it."""

import pytest

from database.session import transaction
from models import CASH
from services.accounts.deposits import deposit, withdraw
from services.accounts.statement import Wanted, begin_statement, read_statement
from tests.services.clearing.desk import Desk


@pytest.fixture
def desk(floor):
    return Desk(floor)


def lines(floor, broker, asset="cash", **wanted):
    """(kind, amount, balance after), of the whole statement read in pages of two."""
    found = []
    with transaction(floor.engine) as session:
        request = Wanted(broker, asset, **wanted)
        position = begin_statement(session, request)
        closing = position.closing
        while page := list(read_statement(session, request, position, 2)):
            found += [(line["kind"], line["amount"], line["balance_after"]) for line in page]
            assert all(line["transfer_id"] for line in page)
            position = page[-1]["position"]
    assert not found or wanted or found[-1][2] == closing
    return found


def test_the_parties_of_a_bust_see_what_came_back(floor, desk):
    symbol = floor.stock()
    seller, buyer = floor.broker(0, **{symbol: 100}), floor.broker(1_000_000)
    floor.charge(seller, 10, 10)
    floor.charge(buyer, 20, 20)
    desk.bust(desk.trade(seller, buyer, symbol, 100, 3_500))
    assert lines(floor, buyer) == [
        ("deposit", 1_000_000, 1_000_000),
        ("trade", -350_000, 650_000),
        ("fee", -700, 649_300),
        ("fee_refund", 700, 650_000),
        ("bust", 350_000, 1_000_000),
    ]
    assert lines(floor, seller) == [
        ("trade", 350_000, 350_000),
        ("fee", -350, 349_650),
        ("fee_refund", 350, 350_000),
        ("bust", -350_000, 0),
    ]
    assert lines(floor, seller, symbol) == [("deposit", 100, 100), ("trade", -100, 0), ("bust", 100, 100)]
    assert lines(floor, buyer, symbol) == [("trade", 100, 100), ("bust", -100, 0)]
    assert lines(floor, buyer, kind="bust") == [("bust", 350_000, 1_000_000)]


def test_a_debtor_sees_what_was_advanced_and_what_it_repaid(floor, desk):
    symbol = floor.stock()
    seller, buyer = floor.broker(0, **{symbol: 100}), floor.broker(1_000_000)
    trade = desk.trade(seller, buyer, symbol, 100, 3_500)
    with transaction(floor.engine) as session:
        withdraw(session, seller, CASH, 300_000)
    desk.bust(trade)
    with transaction(floor.engine) as session:
        deposit(session, seller, CASH, 120_000)
    assert lines(floor, seller) == [
        ("trade", 350_000, 350_000),
        ("withdrawal", -300_000, 50_000),
        ("advance", 300_000, 350_000),
        ("bust", -350_000, 0),
        ("deposit", 120_000, 120_000),
        ("repayment", -120_000, 0),
    ]
    assert desk.owed(seller) == 180_000


def test_an_adjustment_is_the_difference(floor, desk):
    symbol = floor.stock()
    seller, buyer = floor.broker(0, **{symbol: 100}), floor.broker(1_000_000)
    desk.bust(desk.trade(seller, buyer, symbol, 100, 3_500), new_price=3_400)
    assert lines(floor, buyer)[-1] == ("adjustment", 10_000, 660_000)
    assert lines(floor, seller)[-1] == ("adjustment", -10_000, 340_000)
    assert lines(floor, buyer, symbol) == [("trade", 100, 100)]


def test_the_example_of_the_page_for_clearing_officers(floor, desk):
    """docs/clearing.md: A sells to B, B to C, C to D, with fees; the first trade is busted, and B buys back."""
    symbol = floor.stock()
    a, (b, c, d) = floor.broker(0, **{symbol: 100}), (floor.broker(1_000_000) for _ in range(3))
    for broker in (a, b, c, d):
        floor.charge(broker, 10, 10)
    first = desk.trade(a, b, symbol, 100, 3_500)
    desk.trade(b, c, symbol, 100, 3_600)
    desk.trade(c, d, symbol, 100, 3_700)
    assert [floor.cash(who)[0] for who in (a, b, c, d)] == [349_650, 1_009_290, 1_009_270, 629_630]
    assert desk.bust(first) == "done"
    assert [floor.cash(who)[0] for who in (a, b, c, d)] == [0, 1_359_640, 1_009_270, 629_630]
    assert (floor.position(b, symbol), desk.owed(b, symbol)) == ((-360_000, 0), 100)
    for quantity, price in ((60, 3_650), (40, 3_600)):
        desk.trade(d, b, symbol, quantity, price)
    assert (floor.position(b, symbol), desk.owed(b, symbol)) == ((0, -3_000), 0)
    kinds = [("trade", 100), ("trade", -100), ("advance", 100), ("bust", -100)]
    kinds += [("trade", 60), ("repayment", -60), ("trade", 40), ("repayment", -40)]
    assert [(kind, amount) for kind, amount, _ in lines(floor, b, symbol)] == kinds
