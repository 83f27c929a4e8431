"""Verify on a live exchange: one snapshot, nothing locked, and never a false alarm while others trade."""

import threading

import pytest
from sqlalchemy.exc import DBAPIError

from database.session import transaction
from engine.book import Book
from services.market_data.candles.intervals import zones_of
from services.market_data.candles.report import keep_up_with_stocks
from services.market_data.candles.report import report as bring_up_to_date
from services.verify import Check, Finding, verify
from services.verify.report import FINDINGS_SHOWN
from settings.sections import Settings
from tests.services.stream import Stream


def test_trading_goes_on_and_every_snapshot_is_clean(floor):
    stream = Stream(floor, seed=5)
    over = threading.Event()
    raised = []

    def trade():
        try:
            while not over.is_set():
                stream.step()
        except Exception as error:  # noqa: BLE001 - shown by the test
            raised.append(error)

    thread = threading.Thread(target=trade)
    thread.start()
    reports = []
    for n in range(12):
        with transaction(floor.engine) as session:
            reports.append(verify(session, replay=n % 3 == 0))
    over.set()
    thread.join()
    assert raised == []
    assert [str(finding) for report in reports for check in report.checks for finding in check.findings] == []
    rows = [sum(check.rows for check in report.checks[:6]) for report in reports]
    assert rows == sorted(rows)
    assert rows[0] < rows[-1]


def test_the_snapshot_is_of_one_moment_and_locks_nothing(floor):
    symbol, buyer = floor.stock(), floor.broker()
    floor.bid(buyer, symbol, 1, 3_500)
    floor.match(symbol)
    seen = []

    def trade_meanwhile(check):
        seen.append(check.number)
        if check.number == 1:
            floor.bid(buyer, symbol, 1, 3_500)
            floor.match(symbol)

    with transaction(floor.engine) as session:
        report = verify(session, True, trade_meanwhile)
    assert report.clean
    assert seen == [1, 2, 3, 4, 5, 6, 7, 8]
    with transaction(floor.engine) as session:
        later = verify(session, True)
    assert later.checks[6].rows == report.checks[6].rows + 2
    assert later.taken_at > report.taken_at


def test_it_writes_nothing_and_wants_a_transaction_of_its_own(floor):
    with transaction(floor.engine) as session:
        assert [check.number for check in verify(session).checks] == [1, 2, 3, 4, 5, 6, 8]
        with pytest.raises(DBAPIError, match="read-only"):
            session.connection().exec_driver_sql("DELETE FROM leases")
    with transaction(floor.engine) as session:
        session.connection().exec_driver_sql("SELECT 1 FROM stocks")
        with pytest.raises(DBAPIError, match="before any query"):
            verify(session)


def test_every_invariant_looks_at_something(floor):
    stream = Stream(floor, seed=6)
    for _ in range(30):
        stream.step()
    stream.drain()
    with transaction(floor.engine) as session:
        keep_up_with_stocks(session, zones_of(Settings()))
        bring_up_to_date(session)
    with transaction(floor.engine) as session:
        report = verify(session, replay=True)
    assert all(check.rows > 0 for check in report.checks)
    assert report.clean
    assert report.replayed


def test_a_command_that_breaks_the_engine_is_a_finding_and_other_stocks_go_on(floor, monkeypatch):
    broken, sound = floor.stock(), floor.stock()
    buyer = floor.broker()
    for symbol in (broken, sound):
        floor.bid(buyer, symbol, 1, 3_500)
        floor.bid(buyer, symbol, 2, 3_500)
    floor.match()
    apply = Book.apply

    (second,) = floor.query("SELECT id FROM commands WHERE stock_id = :id AND sequence = 2", id=floor.symbols[broken])
    order = floor.query("SELECT order_id FROM commands WHERE id = :id", id=second.id)[0].order_id

    def breaks(self, command, now):
        if getattr(command, "order", None) is not None and command.order.id == order:
            raise ZeroDivisionError("no such luck")
        return apply(self, command, now)

    with monkeypatch.context() as patch:
        patch.setattr(Book, "apply", breaks)
        (finding,) = floor.findings()
    assert finding == (
        f"commands id={second.id}: replayed is ZeroDivisionError('no such luck'), should be carried out by the engine"
    )


def test_many_findings_are_counted_and_a_few_are_shown():
    check = Check(1, "title")
    for number in range(FINDINGS_SHOWN + 5):
        check.add(Finding("orders", {"id": number}, "price", "1", "2"))
    assert (check.broken, len(check.findings)) == (FINDINGS_SHOWN + 5, FINDINGS_SHOWN)
    assert str(check.findings[3]) == "orders id=3: price is 1, should be 2"
