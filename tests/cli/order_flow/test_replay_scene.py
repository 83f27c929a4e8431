"""Given a file's steps, when a replay is prepared, then it knows what brokers need and what a stock would refuse."""

from pathlib import Path

import pytest

from cli.order_flow.lobster import translate
from cli.order_flow.lobster_messages import read_messages
from cli.order_flow.replay_scene import Needs, check_stock, needs_of, symbol_of
from cli.terminal import CommandError

STEPS = list(translate(read_messages(["1,1,1,10,10000,-1", "2,4,1,4,10000,-1", "3,3,1,6,10000,-1", "4,4,2,5,9900,1"])))
STOCK = {
    "symbol": "X",
    "state": "open",
    "tick_size": 1,
    "lot_size": 1,
    "lowest_price": 1,
    "highest_price": 10**9,
}


def test_each_broker_needs_what_all_its_orders_take():
    assert needs_of(STEPS) == {"maker": Needs(5 * 99, 10), "taker": Needs(4 * 100, 5)}


def test_a_stock_that_takes_every_order():
    check_stock(STOCK, STEPS)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"state": "auction"}, "X is not open: its state is auction."),
        ({"tick_size": 5}, "2 of 4 orders do not fit the tick of 5 that X has"),
        ({"lot_size": 10}, "3 of 4 orders do not fit the lot of 10 that X has"),
        ({"lowest_price": 100}, "2 of 4 orders do not fit the prices from 100 to 1000000000 that X has"),
        ({"highest_price": 99}, "2 of 4 orders do not fit the prices from 1 to 99 that X has"),
    ],
)
def test_a_stock_that_would_refuse_some(rule, said):
    with pytest.raises(CommandError) as refused:
        check_stock({**STOCK, **rule}, STEPS)
    assert said in refused.value.message
    assert refused.value.mend == ("minex replay FILE --symbol NAME",)


@pytest.mark.parametrize(
    ("given", "file", "symbol"),
    [
        (None, "AMZN_2012-06-21_34200000_57600000_message_5.csv", "AMZN"),
        (None, "day.csv.gz", "DAY"),
        ("brk.b", "day.csv", "BRK.B"),
    ],
)
def test_the_symbol_is_the_one_given_or_begins_the_files_name(given, file, symbol):
    assert symbol_of(given, Path("somewhere") / file) == symbol


@pytest.mark.parametrize(("given", "file"), [(None, "my flow.csv"), ("A B", "day.csv"), (".", "day.csv")])
def test_what_is_no_symbol_is_refused_before_anything_is_listed(given, file):
    with pytest.raises(CommandError, match="is no symbol") as refused:
        symbol_of(given, Path(file))
    assert (refused.value.code, refused.value.mend) == (2, ("minex replay FILE --symbol NAME",))
