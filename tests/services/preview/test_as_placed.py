"""Given orders of every kind in any book, then each fares as its preview has told, but for what is hidden there."""

import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from database.session import transaction
from services.errors import MarketError
from services.preview.preview import Preview, preview_order
from services.settlement.fees import fee_of_row
from settings.sections import Settings

KINDS: list[dict[str, Any]] = [
    {},
    {"post_only": True},
    {"time_in_force": "ioc"},
    {"time_in_force": "fok"},
    {"self_trade_prevention": "decrement"},
    {"self_trade_prevention": "cancel_both"},
    {"self_trade_prevention": "none"},
]


def previewed(floor: Any, order: Any) -> Preview:
    settings = replace(Settings(), market=floor.market, limits=floor.limits, fees=floor.fees)
    with transaction(floor.engine) as session:
        return preview_order(session, order, settings, datetime.now(UTC))


def any_order(chance: random.Random, floor: Any, broker: int, symbol: str) -> Any:
    side, quantity = chance.choice(["bid", "ask"]), chance.randint(1, 60)
    if chance.random() < 0.15:
        return floor.order(broker, symbol, side, quantity, None)
    return floor.order(broker, symbol, side, quantity, chance.randint(890, 1_110), **chance.choice(KINDS))


@pytest.mark.parametrize("seed", range(4))
def test_every_order_fares_as_it_was_told(floor, seed):
    chance = random.Random(seed)
    symbol = floor.stock(reference=1_000, band_bps=1_000, execution_price="seller" if seed == 3 else "maker")
    brokers = [floor.broker(400_000, **{symbol: 300}) for _ in range(3)]
    for broker in brokers:
        floor.charge(broker, chance.randint(0, 5), chance.randint(0, 30))
    refusals = 0
    for _ in range(80):
        broker = chance.choice(brokers)
        order = any_order(chance, floor, broker, symbol)
        told = previewed(floor, order)
        (answer,) = floor.place(order)
        if isinstance(answer, MarketError):
            refusals += 1
            first = told.refusals[0]
            assert (first.code(), first.facts) == (answer.code(), answer.facts)
            continue
        reserved = sum(amount for kind, amount, *_ in floor.transfers(answer.order_id) if kind == "reserve")
        assert told.reserved == reserved
        floor.match(symbol)
        row = floor.row(answer.order_id)
        if row.status == "rejected":
            assert [one.code() for one in told.refusals] == [row.close_reason]
            continue
        assert not told.refusals
        assert (told.trial.fills_now, told.trial.rests) == (row.filled_quantity, row.remaining_quantity)
        assert sum(price * shares for price, shares in told.trial.fills) == row.filled_notional
        if not row.remaining_quantity:
            assert told.fee == fee_of_row(row)
    assert 0 < refusals < 40


def test_a_stop_waits_in_no_queue_and_reserves_at_its_price(floor):
    symbol, buyer = floor.stock(reference=1_000), floor.broker(100_000)
    floor.charge(buyer, 0, 10)
    told = previewed(floor, floor.order(buyer, symbol, "bid", 10, None, stop_price=1_020))
    assert (told.trial.fills_now, told.trial.rests, told.quantity_ahead) == (0, 10, None)
    protection = 1_020 * (10_000 + floor.market.protection_bps) // 10_000
    assert told.reserved == 10 * protection + -(-10 * protection * 10 // 10_000)
