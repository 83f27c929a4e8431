"""Given messages of a window of a real book, when they are translated, then executions hit the orders that they hit."""

import pytest

from cli.order_flow import lobster
from cli.order_flow.lobster_messages import Message, read_messages
from engine import Amend, Book, Cancel, New, Rules
from engine.terms.rules import NONE
from tests.cli.order_flow.lobster_day import exchange_day


def translated(*lines):
    return list(lobster.translate(read_messages(lines)))


def commands(*lines):
    """The commands in short: what is done, to which order, how many shares."""
    told = []
    for step in translated(*lines):
        match step.command:
            case New(order):
                told.append(("new", order.id, order.quantity))
            case Amend(order_id, quantity=quantity):
                told.append(("amend", order_id, quantity))
            case Cancel(order_id):
                told.append(("cancel", order_id))
    return told


def misses(steps):
    """The executions that did not hit their order, on a book of their own."""
    book = Book(Rules(stp=NONE))
    played = [(step, book.apply(step.command, 0)) for step in steps]
    return [step.execution for step, events in played if step.execution and not lobster.is_met(step.execution, events)]


def test_an_order_that_leaves_the_window_silently_does_not_stand_in_the_way():
    lines = ("1,1,10,100,1000000,-1", "1,1,20,100,1000000,-1", "3,4,20,100,1000000,-1")
    assert commands(*lines) == [("new", 20, 100), ("new", "t1", 100)]
    assert misses(translated(*lines)) == []


def test_an_order_whose_entry_is_not_told_enters_when_its_id_was_given():
    lines = ("1,1,10,100,1000000,-1", "2,4,10,100,1000000,-1", "3,3,30,100,1010000,1")
    assert commands(*lines) == [("new", 10, 100), ("new", "t1", 100), ("new", 30, 100), ("cancel", 30)]
    assert misses(translated(*lines)) == []


def test_an_entry_told_late_has_the_place_of_its_id():
    lines = ("1,1,10,5,1000000,-1", "1,1,30,5,1000000,-1", "2,1,20,5,1000000,-1")
    taken = ("3,4,10,5,1000000,-1", "3,4,20,5,1000000,-1", "3,4,30,5,1000000,-1")
    assert [told[1] for told in commands(*lines, *taken)] == [10, 20, 30, "t1", "t2", "t3"]
    assert misses(translated(*lines, *taken)) == []


def test_unknown_orders_enter_oldest_first_before_the_first_larger_id():
    lines = ("1,1,10,5,1000000,1", "2,3,10,5,1000000,1", "3,1,40,5,1000000,1", "4,3,40,5,1000000,1")
    unknown = ("5,3,30,5,990000,1", "5,3,20,5,990000,1", "6,3,50,5,980000,1")
    assert [told[:2] for told in commands(*lines, *unknown)] == [
        ("new", 10), ("cancel", 10), ("new", 20), ("new", 30), ("new", 40), ("cancel", 40),
        ("cancel", 30), ("cancel", 20), ("new", 50), ("cancel", 50),
    ]  # fmt: skip


def test_two_unknown_orders_enter_in_the_order_of_their_ids_whichever_is_heard_of_first():
    lines = ("1,2,30,5,1000000,1", "2,4,20,5,1000000,1", "3,4,30,5,1000000,1")
    assert [told[:2] for told in commands(*lines)] == [
        ("new", 20), ("new", 30), ("amend", 30), ("new", "t1"), ("new", "t2"),
    ]  # fmt: skip
    assert misses(translated(*lines)) == []


def test_an_order_is_as_large_as_what_is_taken_from_it():
    lines = ("1,1,10,100,1000000,1", "2,2,10,20,1000000,1", "3,4,10,30,1000000,1", "4,2,10,10,1000000,1")
    assert commands(*lines) == [("new", 10, 60), ("amend", 10, 40), ("new", "t1", 30), ("cancel", 10)]


def test_resting_orders_and_takers_have_accounts_of_their_own():
    steps = translated("1,1,10,100,1000000,1", "2,4,10,100,1000000,1")
    maker, taker = (step.command.order for step in steps)
    assert (maker.account, taker.account, taker.id, taker.tif, taker.side) == ("maker", "taker", "t1", "ioc", -1)
    assert [step.execution for step in steps] == [None, Message(4, 10, 100, 10_000, 1)]


def test_an_execution_is_met_only_by_the_same_trade():
    book = Book(Rules())
    entry, execution = translated("0,1,1,10,100000,1", "0,4,1,10,100000,1")
    assert not lobster.is_met(execution.execution, book.apply(entry.command, 0))
    events = book.apply(execution.command, 0)
    assert lobster.is_met(execution.execution, events)
    assert not lobster.is_met(Message(4, 1, 5, 1000, 1), events)
    assert not lobster.is_met(Message(4, 1, 10, 999, 1), events)
    assert not lobster.is_met(Message(4, 2, 10, 1000, 1), events)


@pytest.mark.parametrize("best_level_only", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_a_made_up_day_is_met_in_full(seed, best_level_only):
    """Also through a window of one level, which most orders enter and leave without a message."""
    steps = translated(*exchange_day(seed, best_level_only).splitlines())
    assert sum(step.execution is not None for step in steps) > 400
    assert misses(steps) == []
