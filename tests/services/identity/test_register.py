"""Given what strangers bring, then nothing that is derived from it ever passes what the exchange can count."""

import pytest

from database.session import transaction
from models.accounts.asset import LARGEST_SUPPLY
from services.accounts.read_accounts import read_portfolio
from services.errors import PositionTooValuable, SupplyTooLarge
from services.identity.register import register_broker

HIGHEST = 10**9
"""Cents: the largest price that the default settings allow."""


def register(floor, **brings):
    with transaction(floor.engine) as session:
        return register_broker(session, name="Stranger", **brings).broker_id


def portfolio(floor, broker):
    with transaction(floor.engine) as session:
        (position,) = read_portfolio(session, broker)["positions"]
    return position


def test_a_position_beyond_what_can_be_counted_is_refused(floor):
    symbol = floor.stock(reference=HIGHEST)
    with pytest.raises(PositionTooValuable) as refused:
        register(floor, positions={symbol: 9_223_372_037})
    assert refused.value.field == "positions"
    assert register(floor, positions={symbol: 9_223_372_036})


@pytest.mark.parametrize("field", ["cash", "credit_limit", "short_limit"])
def test_no_more_comes_into_being_than_can_be_counted(floor, field):
    with pytest.raises(SupplyTooLarge) as refused:
        register(floor, **{field: LARGEST_SUPPLY + 1})
    assert refused.value.field == field


def test_the_supply_counts_what_all_brokers_bring(floor):
    symbol = floor.stock(reference=None)
    register(floor, positions={symbol: LARGEST_SUPPLY - 10})
    with pytest.raises(SupplyTooLarge) as refused:
        register(floor, positions={symbol: 11})
    assert refused.value.field == "positions"
    assert register(floor, positions={symbol: 10})


def test_a_holding_whose_worth_no_number_holds_is_still_shown(floor):
    symbol = floor.stock(reference=None)
    whale, buyer = floor.broker(**{symbol: 10**12}), floor.broker(cash=10 * HIGHEST)
    floor.ask(whale, symbol, 1, HIGHEST)
    floor.bid(buyer, symbol, 1, HIGHEST)
    floor.match(symbol)
    shown = portfolio(floor, whale)
    assert shown["market_value"] == str((10**12 - 1) * HIGHEST)
    assert shown["unrealised_pnl"] == str((10**12 - 1) * HIGHEST)
    assert shown["realised_pnl"] == HIGHEST
    assert portfolio(floor, buyer)["market_value"] == HIGHEST


def test_the_cost_of_a_position_has_no_end_that_could_close_a_market(floor):
    """One more share than 64 bits of cents: whoever sells it is no worse off, and the market opens."""
    symbol = floor.stock(reference=HIGHEST)
    whale, seller = floor.broker(cash=10 * HIGHEST, **{symbol: 9_223_372_036}), floor.broker(**{symbol: 10})
    bid = floor.bid(whale, symbol, 2, HIGHEST)
    ask = floor.ask(seller, symbol, 1, HIGHEST)
    floor.match(symbol)
    assert floor.stands(ask) == ("filled", 1, 0, 0)
    floor.put_into(symbol, "auction")
    last = floor.ask(seller, symbol, 1, HIGHEST)
    floor.match(symbol)
    floor.put_into(symbol, "open")
    assert floor.stands(last)[0] == floor.stands(bid)[0] == "filled"
    assert portfolio(floor, whale)["market_value"] == str(9_223_372_038 * HIGHEST)
    assert portfolio(floor, whale)["unrealised_pnl"] == 0
