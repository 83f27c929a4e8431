"""Above the threshold two people decide, and there is no way around the second one."""

import pytest

from services.clearing.errors import AlreadyBusted, BustDecided, SecondPersonNeeded, UnknownBust
from services.clearing.requests import Asker
from tests.services.clearing.desk import Desk

LARGE = 10_000
"""Cents of notional above which two people decide in these stories."""


@pytest.fixture
def desk(floor):
    return Desk(floor, second_person_above=LARGE)


@pytest.fixture
def market(floor):
    symbol = floor.stock(reference=1_000)
    return floor.broker(**{symbol: 1_000}), floor.broker(), symbol


def test_whoever_asked_cannot_confirm_and_another_can_once(desk, market):
    asker, other = desk.person(), desk.person()
    bust = desk.ask(desk.trade(*market, 11, 1_000), asker).bust_id
    desk.turn()
    assert desk.status(bust) == "needs_confirmation"
    with pytest.raises(SecondPersonNeeded):
        desk.confirm(bust, asker)
    desk.confirm(bust, other)
    desk.turn()
    row = desk.row(bust)
    assert (row.status, row.asked_by, row.confirmed_by) == ("done", asker, other)
    with pytest.raises(AlreadyBusted):
        desk.confirm(bust, other)


def test_one_that_was_rejected_is_decided(desk, market):
    asker, other = desk.person(), desk.person()
    trade = desk.trade(*market, 11, 1_000)
    bust = desk.ask(trade, asker).bust_id
    desk.turn()
    desk.reject(bust)
    for person in (asker, other):
        with pytest.raises(BustDecided):
            desk.confirm(bust, person)
    with pytest.raises(BustDecided):
        desk.reject(bust)
    assert desk.bust(trade, other) == "needs_confirmation"


def test_two_confirmations_at_once_do_it_once(desk, market):
    first, second = desk.person(), desk.person()
    bust = desk.ask(desk.trade(*market, 11, 1_000), desk.person()).bust_id
    desk.turn()
    for person in (first, second):
        desk.confirm(bust, person)
    turn = desk.turn()
    assert [update.refused for update in turn.settled.outcome.commands] == [None, "already_busted"]
    assert desk.row(bust).confirmed_by == first


def test_what_a_person_asked_for_in_the_window_counts_together(desk, market):
    """Ten shares at 1,000 are just allowed; one more of the same person is not, whatever it is of."""
    person, other = desk.person(), desk.person()
    assert desk.bust(desk.trade(*market, 6, 1_000), person) == "done"
    assert desk.bust(desk.trade(*market, 4, 1_000), person, new_price=990) == "done"
    assert desk.bust(desk.trade(*market, 1, 1_000), person) == "needs_confirmation"
    assert desk.bust(desk.trade(*market, 10, 1_000), other) == "done"


def test_a_range_counts_as_a_whole(desk, market):
    person = desk.person()
    trades = [desk.trade(*market, 4, 1_000) for _ in range(3)]
    busts = [desk.ask(trade, person, range_id=7).bust_id for trade in trades]
    desk.turn()
    assert {desk.status(bust) for bust in busts} == {"needs_confirmation"}


def test_the_administrators_key_is_nobody(desk, market):
    trade = desk.trade(*market, 11, 1_000)
    bust = desk.ask(trade).bust_id
    desk.turn()
    assert (desk.status(bust), desk.row(bust).refusal) == ("rejected", "second_person_needed")
    asked = desk.ask(trade, desk.person()).bust_id
    desk.turn()
    with pytest.raises(SecondPersonNeeded):
        desk.confirm(asked, None)
    assert desk.bust(desk.trade(*market, 10, 1_000)) == "done"


@pytest.mark.parametrize("change", ["role = 'operator'", "is_active = false"])
def test_who_may_confirm_no_more_when_it_is_done_does_not(floor, desk, market, change):
    other = desk.person()
    bust = desk.ask(desk.trade(*market, 11, 1_000), desk.person()).bust_id
    desk.turn()
    desk.confirm(bust, other)
    floor.run(f"UPDATE users SET {change} WHERE id = :id", id=other)
    turn = desk.turn()
    assert turn.settled.outcome.commands[0].refused == "second_person_needed"
    assert (desk.status(bust), desk.row(bust).confirmed_by) == ("needs_confirmation", None)


def test_a_confirmation_that_nobody_may_give_is_refused_where_it_is_done(floor, desk, market):
    """A row in the inbox by which the asker would confirm: what the door refuses the turn refuses, too."""
    asker = desk.person()
    bust = desk.ask(desk.trade(*market, 11, 1_000), asker).bust_id
    desk.turn()
    floor.run(
        "INSERT INTO commands (stock_id, kind, payload) SELECT stock_id, 'bust', json_build_object('bust_id', id, "
        "'confirmed_by', json_build_object('person', asked_by, 'name', 'x', 'at', now())) FROM busts WHERE id = :id",
        id=bust,
    )
    desk.turn()
    assert desk.status(bust) == "needs_confirmation"


def test_rules_need_nobody(desk, market):
    rule = Asker("rule price", rule="price")
    assert desk.bust(desk.trade(*market, 11, 1_000), asker=rule) == "done"


def test_no_bust_is_confirmed_or_rejected_that_does_not_exist(desk):
    for act in (lambda: desk.confirm(10**9, 1), lambda: desk.reject(10**9)):
        with pytest.raises(UnknownBust):
            act()


def test_the_window_counts_from_the_request_and_a_confirmation_has_as_long_again(floor, desk, market):
    late, in_time = desk.trade(*market, 1, 1_000), desk.trade(*market, 11, 1_000)
    person, other = desk.person(), desk.person()
    floor.run("UPDATE trades SET executed_at = executed_at - interval '1801 seconds' WHERE id = :id", id=late)
    refused = desk.ask(late, person).bust_id
    waiting = desk.ask(in_time, person).bust_id
    desk.turn()
    assert (desk.status(refused), desk.row(refused).refusal) == ("rejected", "bust_window_passed")
    assert desk.status(waiting) == "needs_confirmation"
    floor.run("UPDATE trades SET executed_at = executed_at + interval '1801 seconds' WHERE id = :id", id=late)
    desk.confirm(waiting, other)
    floor.run("UPDATE busts SET asked_at = asked_at - interval '1801 seconds' WHERE id = :id", id=waiting)
    desk.turn()
    assert (desk.status(waiting), desk.row(waiting).refusal) == ("expired", "bust_window_passed")
