"""Each rule at its limit and one beyond it."""

from dataclasses import replace

import pytest

from services.clearing.rules import RULES, judge, names
from services.clearing.rules.rule import JudgedTrade
from settings.clearing import Clearing

FAIR = JudgedTrade(1, 3_500, 100, 3_500, False, "1", "2", 1, 1, "open")
ALL_REFER = Clearing(quantity_above=1_000, notional_above=10_000_000, trades_per_second=10)


def broken(trade, terms=ALL_REFER):
    """The rules that a trade breaks, in their order."""
    return [each.rule for _, found in judge([trade], terms) for each in found]


def test_a_fair_trade_breaks_none():
    assert broken(FAIR) == []


def test_the_settings_have_an_action_for_each_rule():
    assert names() == ["price", "size", "same_document", "halted", "burst"]
    assert len(RULES) == len(names())


@pytest.mark.parametrize(
    ("reference", "price", "breaks"),
    [
        (1_000, 1_100, False),
        (1_000, 1_101, True),
        (1_000, 900, False),
        (1_000, 899, True),
        (2_499, 2_748, False),
        (2_500, 2_625, False),
        (2_500, 2_626, True),
        (5_000, 5_150, False),
        (5_000, 5_151, True),
        (5_000, 4_849, True),
        (None, 1, False),
    ],
)
def test_a_price_may_be_so_far_from_its_reference_and_no_further(reference, price, breaks):
    trade = replace(FAIR, reference_price=reference, price=price)
    assert broken(trade) == (["price"] if breaks else [])


def test_a_price_says_how_far_away_it_is():
    ((_, (found,)),) = judge([replace(FAIR, reference_price=6_170, price=5_610)], ALL_REFER)
    assert found.figures == {"reference": 6_170, "deviation_bps": -907, "limit_bps": 300}


def test_below_the_lowest_guideline_no_price_is_too_far():
    assert broken(replace(FAIR, price=1, reference_price=100), replace(ALL_REFER, price_guidelines=("1000:500",))) == []


@pytest.mark.parametrize(
    ("quantity", "price", "breaks"),
    [(1_000, 10_000, False), (1_001, 1, True), (1_000, 10_001, True), (999, 10_000, False)],
)
def test_a_trade_may_be_so_large(quantity, price, breaks):
    trade = replace(FAIR, quantity=quantity, price=price, reference_price=price)
    assert broken(trade) == (["size"] if breaks else [])


def test_a_limit_of_zero_is_none():
    huge = replace(FAIR, quantity=10**9)
    assert broken(huge, replace(ALL_REFER, quantity_above=0, notional_above=0)) == []


def test_the_same_document_on_both_sides():
    assert broken(replace(FAIR, seller_document="1")) == ["same_document"]


@pytest.mark.parametrize("state", ["halted", "closed", "pre_open"])
def test_printed_while_nothing_trades(state):
    assert broken(replace(FAIR, state=state)) == ["halted"]
    assert broken(replace(FAIR, state=state, is_auction=True)) == []


def test_too_many_trades_in_a_second():
    assert broken(replace(FAIR, buyer_trades=10, seller_trades=10)) == []
    assert broken(replace(FAIR, seller_trades=11)) == ["burst"]


def test_rules_that_are_off_are_not_asked_and_those_that_bust_come_first():
    trade = replace(FAIR, price=9_000, seller_document="1")
    assert broken(trade) == ["price", "same_document"]
    assert broken(trade, replace(ALL_REFER, price="off")) == ["same_document"]
    assert broken(trade, replace(ALL_REFER, same_document="bust")) == ["same_document", "price"]
