"""What may be subscribed to: public channels, never somebody's own room."""

import pytest

from live.channels import Channel, parse_channels


@pytest.mark.parametrize("name", ["stock:PETR4", "book:B3SA3", "stock:BRK.B"])
def test_public_channels(name):
    kind, _, symbol = name.partition(":")
    assert parse_channels({"channels": [name]}) == ([Channel(name, kind, symbol)], [])


@pytest.mark.parametrize(
    "name",
    ["user:1", "stock:", "stock:petr4", "book:PETR4\n", "prices:PETR4", "stock:A B", "stock:.", "book:-A", "stock", ""],
)
def test_a_channel_names_a_symbol_as_stocks_are_listed_with_it(name):
    assert parse_channels({"channels": [name]}) == ([], [name])


@pytest.mark.parametrize("body", [None, [], "stock:PETR4", {}, {"channels": "stock:PETR4"}, {"channels": [1]}])
def test_a_request_of_another_shape_is_refused(body):
    with pytest.raises(ValueError, match="Expected"):
        parse_channels(body)


def test_more_than_one_request_is_refused():
    for arguments in ((), ({"channels": []}, {"channels": []})):
        with pytest.raises(ValueError, match="Expected"):
            parse_channels(*arguments)


def test_a_channel_counts_once_however_often_it_is_named():
    names = ["stock:PETR4", "nothing", "stock:PETR4", "nothing"]
    assert parse_channels({"channels": names}) == ([Channel("stock:PETR4", "stock", "PETR4")], ["nothing"])


def test_a_request_is_bounded():
    with pytest.raises(ValueError, match="At most"):
        parse_channels({"channels": ["stock:PETR4"] * 1001})
