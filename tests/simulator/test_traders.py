"""What each kind of trader does with what it sees."""

from __future__ import annotations

from random import Random

import pytest

from simulator.draws import distance, shares
from simulator.fair_value import FairValue, Temper
from simulator.makers import Maker
from simulator.people import Crowd, TrendFollower
from simulator.traders import HASTY, MAKERS, PATIENT, PEOPLE, TREND, broker_of, document_of
from simulator.view import Action, Cancel, OwnOrder, Place, Side, View

QUIET = Temper(wandering=0.0, news_every=10**9)


def view(**more: object) -> View:
    book = {"bids": [(3_495, 100), (3_494, 100)], "asks": [(3_505, 100), (3_506, 100)]}
    rules = {"now": 1.0, "tick": 1, "lot": 1, "lowest": 3_150, "highest": 3_850}
    return View(**{**book, **rules, **more})  # type: ignore[arg-type]


def value(price: float = 3_500) -> FairValue:
    return FairValue(price, Random(1), QUIET)


def placed(actions: list[Action], side: Side) -> list[int]:
    return [one.price for one in actions if isinstance(one, Place) and one.side == side]


def resting(actions: list[Action]) -> list[OwnOrder]:
    found = [one for one in actions if isinstance(one, Place)]
    return [OwnOrder(number, one.trader, one.side, one.price, one.quantity) for number, one in enumerate(found, 1)]


def test_a_maker_quotes_both_sides_of_what_it_thinks_a_stock_is_worth() -> None:
    actions = Maker("maker-1", 3.0, Random(1)).act(view(), value())
    bids, asks = placed(actions, "bid"), placed(actions, "ask")
    assert len(bids) == len(asks) == 3
    assert max(bids) < 3_500 < min(asks)


def test_a_maker_leaves_quotes_that_are_near_enough() -> None:
    maker = Maker("maker-1", 3.0, Random(1))
    own = resting(maker.act(view(), value()))
    assert maker.act(view(orders=own), value(3_500.1)) == []


def test_a_maker_moves_with_the_value() -> None:
    maker = Maker("maker-1", 3.0, Random(1))
    own = resting(maker.act(view(), value()))
    actions = maker.act(view(orders=own), value(3_520))
    assert {one.order.order_id for one in actions if isinstance(one, Cancel)} == {order.order_id for order in own}
    assert min(placed(actions, "ask")) > 3_520


def test_a_maker_leaves_the_orders_of_others_alone() -> None:
    other = OwnOrder(7, "maker-2", "bid", 1, 100)
    actions = Maker("maker-1", 3.0, Random(1)).act(view(orders=[other]), value())
    assert not any(isinstance(one, Cancel) for one in actions)


def test_a_maker_with_too_much_asks_for_less() -> None:
    even, long = (Maker("maker-1", 3.0, Random(1)).act(view(lean={MAKERS: lean}), value()) for lean in (0.0, 1.0))
    assert min(placed(long, "ask")) < min(placed(even, "ask"))
    assert max(placed(long, "bid")) < max(placed(even, "bid"))


def test_people_in_haste_take_the_best_price_and_no_worse_than_a_little() -> None:
    crowd = Crowd(Random(3))
    for _ in range(50):
        (order,) = crowd.take(view(), value())
        assert isinstance(order, Place)
        assert order.at_once
        assert (3_505 <= order.price <= 3_520) if order.side == "bid" else (3_480 <= order.price <= 3_495)


def test_people_in_haste_find_nothing_in_an_empty_book() -> None:
    assert Crowd(Random(3)).take(view(bids=[], asks=[]), value()) == []


def test_patient_people_never_cross() -> None:
    crowd = Crowd(Random(4))
    prices = [one for _ in range(500) for one in crowd.wait(view(), value())]
    assert all(isinstance(one, Place) and one.price < 3_505 for one in prices if getattr(one, "side", "") == "bid")
    assert all(isinstance(one, Place) and one.price > 3_495 for one in prices if getattr(one, "side", "") == "ask")
    assert {one.side for one in prices if isinstance(one, Place)} == {"bid", "ask"}


def test_patient_people_take_orders_back_where_there_are_many() -> None:
    crowd = Crowd(Random(4))
    own = [OwnOrder(number, PATIENT, "bid", 3_400, 100) for number in range(300)]
    actions = [one for _ in range(200) for one in crowd.wait(view(orders=own), value())]
    assert sum(isinstance(one, Cancel) for one in actions) > 150


@pytest.mark.parametrize(("to", "side"), [(3_530, "bid"), (3_470, "ask")])
def test_a_trend_is_followed(to: int, side: str) -> None:
    trend = TrendFollower(Random(1))
    assert trend.act(view(), value()) == []
    for second in range(60):
        trend.watch(float(second), 3_500 + (to - 3_500) * second / 60)
    (order,) = trend.act(view(), value(to))
    assert isinstance(order, Place)
    assert (order.side, order.trader, order.at_once) == (side, TREND, True)


def test_what_a_trend_brought_is_let_go_when_it_is_over() -> None:
    trend = TrendFollower(Random(1))
    trend.watch(0.0, 3_500)
    (order,) = trend.act(view(holdings={TREND: 300}), value())
    assert isinstance(order, Place)
    assert (order.side, order.quantity <= 300) == ("ask", True)


def test_news_are_understood_within_a_minute() -> None:
    told = FairValue(3_500, Random(2), Temper(wandering=0.0, news_every=1_000.0, news=50.0))
    now, news = 0.0, 0.0
    while not news:
        now += 1
        news = told.advance(now, 1, 10**6)
    before, calm = told.price, told.liveliness
    more = sum(told.advance(now + second, 1, 10**6) for second in range(1, 61))
    assert more == 0
    assert (told.price / before - 1) * 10_000 == pytest.approx(news, rel=0.05)
    assert told.liveliness < calm


def test_a_value_stays_within_its_bounds() -> None:
    wild = FairValue(3_500, Random(2), Temper(wandering=500.0))
    for second in range(1, 500):
        wild.advance(float(second), 3_200, 3_800)
        assert 3_200 <= wild.price <= 3_800


def test_quantities_are_those_of_people() -> None:
    random = Random(5)
    drawn = [shares(random) for _ in range(5_000)]
    assert sum(one == 100 for one in drawn) / len(drawn) == pytest.approx(0.5, abs=0.03)
    assert min(drawn) >= 1
    assert max(drawn) == 1_000
    far = [distance(random) for _ in range(5_000)]
    assert min(far) >= 1
    assert max(far) <= 150


def test_each_trader_is_another_customer_of_one_of_two_brokers() -> None:
    names = ("maker-1", "maker-2", PATIENT, HASTY, TREND)
    assert len({document_of(name) for name in names}) == len(names)
    assert all(len(document_of(name)) == 11 for name in names)
    assert [broker_of(name) for name in names] == [MAKERS, MAKERS, PEOPLE, PEOPLE, PEOPLE]
