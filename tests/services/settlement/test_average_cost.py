"""Average cost and realised profit, to the cent, through longs, shorts and zero."""

import random

import pytest
from sqlalchemy import text

from services.settlement.average_cost import average_cost


@pytest.mark.parametrize(
    ("trades", "cost", "realised"),
    [
        ([(10, 100)], 1_000, 0),
        ([(10, 100), (10, 200)], 3_000, 0),
        ([(10, 100), (10, 200), (-5, 200)], 2_250, 250),
        ([(10, 100), (-10, 90)], 0, -100),
        ([(3, 100), (1, 101), (-1, 100)], 301, 0),
        ([(3, 100), (1, 101), (-1, 100), (-1, 100), (-1, 100), (-1, 100)], 0, -1),
        ([(-10, 100)], -1_000, 0),
        ([(-10, 100), (4, 90)], -600, 40),
        ([(-10, 100), (10, 110)], 0, -100),
        ([(10, 100), (-15, 120)], -600, 200),
        ([(-10, 100), (15, 80)], 400, 200),
        ([(10, 100), (-10, 100), (-10, 50), (10, 50)], 0, 0),
    ],
)
def test_average_cost(trades, cost, realised):
    assert average_cost(0, 0, 0, trades) == (cost, realised)


def test_what_a_position_cost_less_what_it_earned_is_what_was_paid_for_it():
    trades = [(7, 101), (-3, 99), (-9, 107), (2, 103), (11, 97), (-8, 94)]
    cost, realised = average_cost(5, 503, 11, trades)
    assert cost - realised == 503 - 11 + sum(shares * price for shares, price in trades)


def test_a_round_trip_on_the_exchange(floor):
    symbol = floor.stock()
    trader, other = floor.broker(), floor.broker(**{symbol: 1_000})
    for price in (3_500, 3_600):
        floor.ask(other, symbol, 10, price)
        floor.bid(trader, symbol, 10, price)
    floor.match(symbol)
    assert floor.position(trader, symbol) == (71_000, 0)
    floor.ask(trader, symbol, 5, 3_700)
    floor.bid(other, symbol, 5, 3_700)
    floor.match(symbol)
    assert floor.position(trader, symbol) == (53_250, 750)
    assert floor.position(other, symbol)[0] == 3_500 * 980 + 5 * 3_700


def test_a_sale_through_zero_closes_the_long_and_opens_the_short(floor):
    symbol = floor.stock()
    trader, other = floor.broker(short_limit=100, **{symbol: 10}), floor.broker()
    assert floor.position(trader, symbol) == (35_000, 0)
    floor.ask(trader, symbol, 25, 3_600)
    floor.bid(other, symbol, 25, 3_600)
    floor.match(symbol)
    assert floor.shares(trader, symbol) == (-15, 0)
    assert floor.position(trader, symbol) == (-15 * 3_600, 1_000)
    floor.ask(other, symbol, 20, 3_500)
    floor.bid(trader, symbol, 20, 3_500)
    floor.match(symbol)
    assert floor.position(trader, symbol) == (5 * 3_500, 1_000 + 1_500)


IN_POSTGRESQL = text("SELECT * FROM average_cost(:held, :cost, CAST(:shares AS bigint[]), CAST(:prices AS bigint[]))")


@pytest.mark.parametrize("size", [3, 30, 10**9, 10**15])
def test_postgresql_works_it_out_as_python_does(floor, size):
    chance = random.Random(size)
    with floor.engine.connect() as connection:
        for _ in range(200):
            held = chance.randint(-size, size)
            cost = (1 if held > 0 else -1 if held else 0) * chance.randint(0, 1_000 * abs(held))
            trades = [
                (chance.choice((-1, 1)) * chance.randint(1, size), chance.choice((1, 7, chance.randint(1, 10**9))))
                for _ in range(chance.randint(1, 5))
            ]
            shares, prices = map(list, zip(*trades, strict=True))
            values = {"held": held, "cost": cost, "shares": shares, "prices": prices}
            assert tuple(connection.execute(IN_POSTGRESQL, values).one()) == average_cost(held, cost, 0, trades)
