"""One stock of the simulated market, on the engine itself: hours in seconds, no servers."""

from __future__ import annotations

from statistics import median

import pytest

from bench.world.paper_market import Happening, PaperMarket
from simulator import Cancel, Place, Plan, SimulatedStock, View

PRICE = 3_500
PLAN = Plan(("PETR4",), rate=1.5, seed=3)
HALF_HOUR = 1_800.0


def market(plan: Plan = PLAN, price: int = PRICE, tick: int = 1) -> PaperMarket:
    return PaperMarket(SimulatedStock("PETR4", price, plan), price, tick)


def happened(plan: Plan, seconds: float = 600) -> list[Happening]:
    run = market(plan)
    list(run.run(seconds))
    return run.happened


def view(**more: object) -> View:
    defaults = {"now": 1.0, "bids": [], "asks": [], "tick": 1, "lot": 1, "lowest": 3_150, "highest": 3_850}
    return View(**{**defaults, **more})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def lived() -> tuple[PaperMarket, list[View]]:
    run = market()
    return run, list(run.run(HALF_HOUR))


def test_the_same_seed_gives_the_same_orders() -> None:
    assert happened(PLAN) == happened(PLAN)
    assert happened(PLAN) != happened(Plan(("PETR4",), rate=1.5, seed=4))


def test_there_is_somebody_to_trade_with(lived: tuple[PaperMarket, list[View]]) -> None:
    run, views = lived
    assert sum(1 for seen in views if seen.middle is None) < len(views) / 100
    assert sum(1 for one in run.happened if one.kind == "trade") > 200


def test_spreads_and_depth_are_a_stocks(lived: tuple[PaperMarket, list[View]]) -> None:
    _, views = lived
    seen = [one for one in views if one.middle]
    spreads = [(one.best_ask or 0) - (one.best_bid or 0) for one in seen]
    assert 1 <= median(spreads) <= 3
    assert max(spreads) < 60
    assert 500 < median(sum(shares for _, shares in one.bids) for one in seen) < 10_000


def test_the_price_wanders_and_does_not_run_away(lived: tuple[PaperMarket, list[View]]) -> None:
    _, views = lived
    middles = [one.middle for one in views if one.middle]
    assert 5 < max(middles) - min(middles) < PRICE / 20


def test_it_is_as_many_orders_and_cancels_as_were_asked_for() -> None:
    plan = Plan(("PETR4",), rate=3, seed=9, clustering=0.3)
    run = market(plan)
    sent = sum(1 for _ in run.run(HALF_HOUR))
    assert sent / HALF_HOUR == pytest.approx(3, rel=0.1)
    told = sum(1 for one in run.happened if one.kind != "trade")
    assert told / HALF_HOUR == pytest.approx(3 * 0.8, rel=0.2)  # the others take what is there


def test_every_order_is_one_that_the_rules_take() -> None:
    run = PaperMarket(SimulatedStock("PETR4", PRICE, PLAN), PRICE, tick=5)
    for seen in run.run(900):
        assert all(price % 5 == 0 for price, _ in (*seen.bids, *seen.asks))
    stock = SimulatedStock("PETR4", PRICE, PLAN)
    for number in range(500):
        placed = [one for one in stock.act(view(now=float(number), lot=100, tick=5)) if isinstance(one, Place)]
        assert all(one.quantity % 100 == 0 and one.quantity > 0 and one.price % 5 == 0 for one in placed)
        assert all(3_150 <= one.price <= 3_850 for one in placed)


def test_in_an_auction_orders_gather_and_meet_nobody_on_purpose() -> None:
    stock = SimulatedStock("PETR4", PRICE, PLAN)
    book = {"bids": [(3_495, 100)], "asks": [(3_505, 100)], "auction": True}
    actions = [action for number in range(500) for action in stock.act(view(now=float(number), **book))]
    assert actions
    assert not any(isinstance(one, Cancel) or one.at_once for one in actions)


def test_it_comes_to_where_others_insist_on_trading() -> None:
    stock = SimulatedStock("PETR4", PRICE, PLAN)
    for number in range(900):
        stock.act(view(now=float(number), bids=[(3_598, 10**6)], asks=[(3_602, 10**6)]))
    assert abs(stock.value.price - 3_600) < 20


def test_nothing_is_made_up_for_that_passed_by() -> None:
    stock = SimulatedStock("PETR4", PRICE, PLAN)
    while stock.next_at < 600:
        stock.pass_by()
    assert len(stock.act(view(now=stock.next_at))) <= 12


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"symbols": ()}, "no stocks"),
        ({"rate": 0}, "above 0"),
        ({"speed": 0}, "above 0"),
        ({"clustering": 1}, "never end"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(wrong: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Plan(**{"symbols": ("PETR4",), **wrong})  # type: ignore[arg-type]
