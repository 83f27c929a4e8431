"""Each trade on the tapes is judged once, whoever judges it, and a rule asks for a bust or refers it to a person."""

import threading
from dataclasses import replace

import pytest

from database.session import transaction
from services.clearing.judge import MOST_OF_A_TAPE, is_behind, judge_tapes
from settings.clearing import Clearing
from tests.services.clearing.desk import Desk

TERMS = Clearing(notional_above=100_000)


@pytest.fixture
def desk(floor):
    desk = Desk(floor)
    judge_all(floor)
    return desk


def judge_all(floor, terms=TERMS):
    """Judge until there is nothing left; how many trades, and how many were flagged."""
    trades = flagged = 0
    while True:
        with transaction(floor.engine) as session:
            found = judge_tapes(session, terms)
        trades, flagged = trades + found.trades, flagged + found.flagged
        if not found.more:
            return trades, flagged


def verdicts(floor, trade):
    return floor.query("SELECT * FROM verdicts WHERE trade_id = :id", id=trade)


def parties(floor, quantity=1_000):
    symbol = floor.stock()
    return floor.broker(**{symbol: quantity}), floor.broker(), symbol


def test_a_trade_that_breaks_a_rule_is_referred_once(floor, desk):
    trader = parties(floor)
    fair, large = desk.trade(*trader, 1, 3_500), desk.trade(*trader, 100, 3_500)
    with transaction(floor.engine) as session:
        assert is_behind(session)
    assert judge_all(floor) == (2, 2)
    assert judge_all(floor) == (0, 0)
    with transaction(floor.engine) as session:
        assert not is_behind(session)
    (verdict,) = verdicts(floor, large)
    assert verdict.rule == "size"
    assert verdict.broken[0] == {"rule": "size", "action": "refer", "notional": 350_000, "limit": 100_000}
    assert [row.rule for row in verdicts(floor, fair)] == ["same_document"]
    assert floor.query("SELECT count(*) AS n FROM busts WHERE trade_id = :id", id=large)[0].n == 0


def test_a_rule_that_busts_does_so_by_itself(floor, desk):
    large = desk.trade(*parties(floor), 100, 3_500)
    terms = replace(TERMS, size="bust", same_document="off", second_person_above=1)
    assert judge_all(floor, terms) == (1, 1)
    desk.turn()
    (bust,) = floor.query("SELECT * FROM busts WHERE trade_id = :id", id=large)
    assert (bust.status, bust.rule, bust.asked_by_name) == ("done", "size", "rule size")


def test_a_person_who_was_quicker_is_not_overruled(floor, desk):
    large = desk.trade(*parties(floor), 100, 3_500)
    desk.ask(large, desk.person())
    assert judge_all(floor, replace(TERMS, size="bust", same_document="off"))[1] == 1
    assert floor.query("SELECT count(*) AS n FROM busts WHERE trade_id = :id", id=large)[0].n == 1


def test_the_state_of_the_stock_at_that_time_counts(floor, desk):
    seller, buyer, symbol = parties(floor)
    desk.trade(seller, buyer, symbol, 1, 3_500)
    judge_all(floor)
    floor.put_into(symbol, "halted")
    floor.put_into(symbol, "open")
    late = desk.trade(seller, buyer, symbol, 1, 3_500)
    floor.run("UPDATE judged_stocks SET state = 'halted' WHERE stock_id = :id", id=floor.symbols[symbol])
    judge_all(floor, replace(TERMS, same_document="off"))
    assert verdicts(floor, late) == []
    (judged,) = floor.query("SELECT state FROM judged_stocks WHERE stock_id = :id", id=floor.symbols[symbol])
    assert judged.state == "open"


def test_too_many_within_a_second(floor, desk):
    seller, buyer, symbol = parties(floor)
    for _ in range(4):
        floor.ask(seller, symbol, 1, 3_500)
        floor.bid(buyer, symbol, 1, 3_500)
    floor.match(symbol)
    terms = replace(TERMS, same_document="off", trades_per_second=3)
    assert judge_all(floor, terms) == (4, 1)
    (last,) = floor.query("SELECT max(id) AS id FROM trades")
    assert verdicts(floor, last.id)[0].rule == "burst"


def test_what_breaks_off_has_judged_nothing(floor, desk):
    large = desk.trade(*parties(floor), 100, 3_500)
    with pytest.raises(RuntimeError), transaction(floor.engine) as session:
        judge_tapes(session, TERMS)
        raise RuntimeError
    assert verdicts(floor, large) == []
    assert judge_all(floor) == (1, 1)


def test_two_at_once_judge_each_trade_once(floor, desk):
    traders = [parties(floor) for _ in range(6)]
    trades = [desk.trade(*trader, 100, 3_500) for trader in traders for _ in range(3)]
    counts = []

    def work() -> None:
        counts.append(judge_all(floor, replace(TERMS, size="bust", same_document="off"))[0])

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == len(trades)
    while desk.turn().commands:
        pass
    (row,) = floor.query(
        "SELECT count(*) AS busts, count(*) FILTER (WHERE status = 'done') AS done FROM busts "
        "WHERE trade_id = ANY(:ids)",
        ids=trades,
    )
    assert (row.busts, row.done) == (len(trades), len(trades))


def test_a_long_tape_is_judged_piece_by_piece(floor, desk):
    seller, buyer, symbol = parties(floor, 2_000)
    floor.ask(seller, symbol, MOST_OF_A_TAPE + 5, 3_500)
    for _ in range(MOST_OF_A_TAPE + 5):
        floor.bid(buyer, symbol, 1, 3_500)
    while floor.match(symbol).commands:
        pass
    with transaction(floor.engine) as session:
        first = judge_tapes(session, replace(TERMS, burst="off"))
    assert (first.trades, first.more) == (MOST_OF_A_TAPE, True)
    assert judge_all(floor)[0] == 5
