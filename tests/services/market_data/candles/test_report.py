"""The reporter's figures are those of the trades, whatever happens in between."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import Engine

from database.session import transaction
from services.market_data.candles.intervals import INTERVALS
from services.market_data.candles.read_candles import NeedsReport
from services.market_data.candles.report import report
from tests.services.floor import Floor
from tests.services.market_data.candles.market import Market


@pytest.fixture
def market(engine: Engine) -> Market:
    return Market(Floor(engine))


def test_each_trade_counts_once_however_often_it_is_reported(market: Market) -> None:
    market.trade(10, 3_500)
    market.trade(30, 3_550)
    for _ in range(3):
        market.report()
    market.trade(5, 3_450)
    market.report()
    (candle,) = market.candles("1d")
    assert {name: candle[name] for name in ("open", "high", "low", "close", "volume", "vwap", "trade_count")} == {
        "open": 3_500, "high": 3_550, "low": 3_450, "close": 3_450, "volume": 45, "vwap": 3_527.7778, "trade_count": 3,
    }  # fmt: skip


def test_a_list_has_what_the_reporter_has_not_come_to_yet(market: Market) -> None:
    market.trade(10, 3_500)
    before = market.figures()
    market.report()
    assert market.figures() == before
    market.trade(7, 3_600)
    ahead = market.figures()
    assert ahead != before
    market.report()
    assert market.figures() == ahead


def test_a_step_that_is_broken_off_has_done_nothing(market: Market) -> None:
    market.trade(10, 3_500)
    market.report()
    market.trade(10, 3_510)
    with pytest.raises(ZeroDivisionError), transaction(market.floor.engine) as session:
        assert report(session).changed
        raise ZeroDivisionError
    assert market.findings() == []
    assert market.report().changed
    assert market.candles("1d")[0]["volume"] == 20


def test_a_long_tape_is_taken_in_pieces(market: Market) -> None:
    market.trades(30)
    whole = market.figures()
    assert market.report(most=7).is_behind
    for _ in range(10):
        assert market.figures() == whole
        assert market.findings() == []
        market.report(most=7)
    assert not market.report(most=7).symbols


def test_two_reporters_do_not_wait_for_each_other_and_count_nothing_twice(market: Market) -> None:
    market.trades(20)
    market.report(most=0)
    with transaction(market.floor.engine) as one:
        assert report(one, most=5).symbols
        with transaction(market.floor.engine) as other:
            assert not report(other).symbols
    market.report()
    assert sum(candle["trade_count"] for candle in market.candles("1s")) == 20


def test_a_busted_trade_leaves_every_figure(market: Market) -> None:
    market.trade(10, 3_500)
    expected = market.figures()
    trade_id = market.trade(30, 3_700)
    market.report()
    market.bust(trade_id)
    with pytest.raises(NeedsReport):
        market.candles("1m")
    with pytest.raises(NeedsReport):
        market.ticker()
    again = market.report()
    assert {key.seconds for key in again.corrected} == {1, 60, 300, 900, 3_600, 86_400}
    assert market.figures() == expected
    assert market.findings() == []


def test_a_candle_whose_trades_are_all_busted_leaves(market: Market) -> None:
    trade_id = market.trade(10, 3_500)
    market.report()
    market.bust(trade_id)
    assert len(market.report().corrected) == 6
    assert market.candles("1m") == []
    assert market.ticker()["session"]["trade_count"] == 0


def test_one_that_is_busted_before_it_is_reported_never_counts(market: Market) -> None:
    market.bust(market.trade(10, 3_500))
    market.trade(20, 3_600)
    market.report()
    (candle,) = market.candles("1d")
    assert (candle["open"], candle["volume"], candle["trade_count"]) == (3_600, 20, 1)


@pytest.mark.parametrize("seed", range(4))
def test_figures_are_those_of_the_trades_over_random_runs(engine: Engine, seed: int) -> None:
    """Trades over days, busts, rolls, other zones, long and short steps: `verify` works it all out from the trades."""
    draw = random.Random(seed)
    market = Market(Floor(engine))
    ids: list[int] = []
    for _ in range(60):
        match draw.randrange(10):
            case 0 | 1 if ids:
                market.bust(ids.pop(draw.randrange(len(ids))))
            case 2:
                market.floor.change(market.symbol, "roll")
                market.floor.match()
            case 3 | 4 | 5:
                market.report(most=draw.choice([1, 3, 1_000]))
                assert market.findings() == []
            case 6:
                market.zone = draw.choice(["America/Sao_Paulo", "Asia/Kathmandu", "Europe/Berlin"])
            case _:
                seconds = draw.choice([0, 1, 61, 3_700, 90_000])
                ids.append(market.later_trade(draw.randint(1, 50), draw.randint(3_200, 3_800), seconds))
    while market.report().symbols:
        continue
    figures = market.figures()
    for name in INTERVALS:
        for candle in figures[name]:
            between = (candle["open"], candle["close"], candle["vwap"])
            assert candle["low"] <= min(between)
            assert max(between) <= candle["high"]
        assert sum(candle["trade_count"] for candle in figures[name]) == len(ids)
    statement = "SELECT sum(quantity) AS volume FROM trades WHERE busted_at IS NULL AND stock_id = :id"
    assert sum(one["volume"] for one in figures["1s"]) == (market.floor.query(statement, id=market.id)[0].volume or 0)
