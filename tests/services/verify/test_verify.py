"""Given a sound history, when somebody changes one row behind the exchange's back, then verify names that row."""

import pytest

from database.session import transaction
from models import CASH
from services.accounts.deposits import withdraw
from services.history.keeping import keep_books
from services.verify import verify
from services.webhooks.subscriptions import set_webhook
from tests.services.clearing.desk import Desk
from tests.services.floor import Floor
from tests.services.stream import Stream
from tests.services.verify.tampering import CASES, NAMED_ELSEWHERE, SAID, tampered, without_constraints


@pytest.fixture(scope="module")
def history(engine):
    """Random trading, and a stock `floor.last` whose book, history and inbox have something of everything."""
    floor = Floor(engine)
    stream = Stream(floor, seed=11)
    for _ in range(120):
        stream.step()
    stream.drain()
    symbol = floor.stock()
    seller, buyer, other = (floor.broker(short_limit=50, **{symbol: 500}) for _ in range(3))
    for broker in (seller, buyer):
        with transaction(engine) as session:
            set_webhook(session, broker, "https://receiver.example/")
    floor.ask(seller, symbol, 40, 3_500)
    floor.bid(buyer, symbol, 30, 3_600)
    floor.bid(buyer, symbol, 5, 3_600, time_in_force="ioc")
    floor.cancel(seller, floor.ask(seller, symbol, 20, 3_700))
    for price in (3_400, 3_400, 3_400, 3_390):
        floor.bid(other, symbol, 10, price)
    amended = floor.bid(other, symbol, 10, 3_380)
    floor.ask(seller, symbol, 4, 3_400)
    floor.match(symbol)
    with transaction(engine) as session:
        keep_books(session, every=1)
    floor.amend(other, amended, price=3_390, quantity=20)
    floor.match(symbol)
    floor.amend(other, amended, price=3_395)
    floor.bid(buyer, symbol, 1, 3_300)
    take_trades_back(floor)
    assert floor.findings() == []
    without_constraints(engine)
    floor.last = floor.symbols[symbol]
    return floor


def take_trades_back(floor):
    """A trade that was busted although its seller had spent the money, and one that stands at another price."""
    desk, symbol = Desk(floor), floor.stock()
    seller, buyer = floor.broker(0, **{symbol: 100}), floor.broker()
    floor.charge(buyer, 10, 10)
    desk.trade(seller, buyer, symbol, 5, 3_400)
    adjusted, busted = desk.trade(seller, buyer, symbol, 5, 3_450), desk.trade(seller, buyer, symbol, 10, 3_500)
    with transaction(floor.engine) as session:
        withdraw(session, seller, CASH, 60_000)
    desk.ask(adjusted, desk.person(), new_price=3_460)
    desk.ask(busted, desk.person())
    desk.turn(symbol)
    assert desk.owed(seller) > 0


def findings_of(floor):
    """Every finding, with the number of its invariant."""
    with transaction(floor.engine) as session:
        report = verify(session, replay=True)
    return [(check.number, finding) for check in report.checks for finding in check.findings]


@pytest.mark.parametrize("case", CASES)
def test_a_tampered_row_is_named(history, case):
    table, where, change, numbers = CASES[case]
    with tampered(history, table, where, change) as row:
        findings = findings_of(history)
    shown = "\n".join(f"{number} {finding}" for number, finding in findings)
    assert {number for number, _ in findings} == numbers, shown
    assert SAID.get(case, "") in shown, shown
    if case in NAMED_ELSEWHERE:
        assert any(finding.table == NAMED_ELSEWHERE[case] for _, finding in findings), shown
    elif change:
        assert any(is_named(table, row, finding) for _, finding in findings), shown


def is_named(table, row, finding):
    """Whether the finding is about this row, or says that another order has been passed by it."""
    itself = finding.table == table and all(row[name] == value for name, value in finding.row.items())
    return itself or (table == "orders" and f"order {row['id']}," in finding.expected)
