"""Given markets with hours, when the clock looks, then every stock is asked for the state of the phase that began."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from database.session import transaction
from services.stocks.read_stocks import read_stock
from services.stocks.run_schedule import enter_present_phase, run_schedules
from settings.sections import Settings, TradingSchedule
from tests.services.floor import Floor

DAILY = TradingSchedule(schedule="daily", timezone="UTC", days=("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def floor(engine):
    """A floor without any other stocks' schedules."""
    floor = Floor(engine)
    floor.run("UPDATE stocks SET market = 'elsewhere'")
    floor.run("DELETE FROM market_sessions")
    yield floor
    assert floor.findings() == []


class Clock:
    """Looks at a given time; auctions end after `delay` seconds."""

    def __init__(self, floor, sessions=None, main=None, delay=7):
        elsewhere = TradingSchedule()
        self.settings = Settings(session=main or DAILY, sessions={"elsewhere": elsewhere, **(sessions or {})})
        self.floor, self.delay = floor, delay

    def look(self, now):
        return self.run(now).stocks

    def run(self, now):
        with transaction(self.floor.engine) as session:
            return run_schedules(session, self.settings, now, lambda least, most: min(self.delay * 1_000, most))


def state(floor, symbol):
    floor.match()
    (row,) = floor.query("SELECT state, state_reason FROM stocks WHERE symbol = :s", s=symbol)
    return row.state, row.state_reason


def time(words):
    return datetime.fromisoformat(f"2026-11-20 {words}").replace(tzinfo=UTC)


def test_a_whole_day(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    clock = Clock(floor)
    seen = []
    day = "08:00 09:29:59 09:30 09:45 10:00 10:00:07 12:00 16:55 17:00:06 17:00:07 23:00"
    for words in day.split():
        clock.look(time(words))
        seen.append((words, state(floor, symbol)[0]))
        if words in ("09:45", "16:55"):
            floor.ask(seller, symbol, 10, 3_500)
            floor.bid(buyer, symbol, 10, 3_550)
            floor.match()
    assert seen == [
        ("08:00", "closed"), ("09:29:59", "closed"), ("09:30", "pre_open"), ("09:45", "auction"), ("10:00", "auction"),
        ("10:00:07", "open"), ("12:00", "open"), ("16:55", "auction"), ("17:00:06", "auction"), ("17:00:07", "closed"),
        ("23:00", "closed"),
    ]  # fmt: skip
    assert len(floor.trades(symbol)) == 2


def test_a_scheduled_auction_says_when_it_ends_at_the_earliest(floor):
    symbol = floor.stock()
    clock = Clock(floor)
    clock.look(time("09:46"))
    floor.match()
    floor.run("UPDATE stocks SET state_since = :since WHERE symbol = :s", since=time("09:46"), s=symbol)
    with transaction(floor.engine) as session:
        shown = read_stock(session, symbol, clock.settings)
    assert (shown["state"], shown["auction_ends_at"]) == ("auction", "2026-11-20T10:00:00.000000Z")


def test_an_auction_that_a_late_clock_began_is_not_said_to_end_when_the_next_one_does(floor):
    symbol = floor.stock()
    clock = Clock(floor)
    clock.look(time("09:46"))
    floor.match()
    floor.run("UPDATE stocks SET state_since = :since WHERE symbol = :s", since=time("10:00:05"), s=symbol)
    with transaction(floor.engine) as session:
        shown = read_stock(session, symbol, clock.settings)
    assert (shown["state"], shown["auction_ends_at"]) == ("auction", "2026-11-20T10:00:00.000000Z")


def test_the_market_opens_on_the_day_whose_first_hour_the_clocks_skip(floor):
    symbol = floor.stock()
    santiago = replace(DAILY, timezone="America/Santiago", pre_open="00:00", opening_auction="00:30", open="01:00")
    clock = Clock(floor, main=santiago)
    seen = []
    for words in (
        "2026-09-06 03:59",
        "2026-09-06 04:00:01",
        "2026-09-06 19:56",
        "2026-09-06 20:01",
        "2026-09-07 03:00",
    ):
        clock.look(datetime.fromisoformat(words).replace(tzinfo=UTC))
        seen.append(state(floor, symbol)[0])
    assert seen == ["closed", "open", "auction", "closed", "pre_open"]


def test_a_random_end_does_not_delay_what_comes_after(floor):
    symbol = floor.stock()
    clock = Clock(floor, main=replace(DAILY, open="16:54:50", random_end_seconds=3_600), delay=3_600)
    seen = []
    for words in ("16:00", "16:54:59", "16:55", "17:00", "17:59"):
        clock.look(time(words))
        seen.append(state(floor, symbol))
    assert seen == [
        ("auction", "opening_auction"),
        ("auction", "opening_auction"),
        ("auction", "closing_auction"),
        ("auction", "closing_auction"),
        ("auction", "closing_auction"),
    ]


def test_a_phase_is_asked_for_once(floor):
    floor.stock()
    clock = Clock(floor)
    assert len(clock.look(time("08:00"))) == 1
    assert clock.look(time("08:00")) == clock.look(time("09:00")) == []


def test_an_operators_halt_is_not_ended_but_its_day_is(floor):
    symbol, buyer = floor.stock(), floor.broker()
    clock = Clock(floor)
    clock.look(NOON)
    day = floor.bid(buyer, symbol, 1, 3_400, time_in_force="day")
    floor.change(symbol, "state", "halted", reason="news")
    for words in ("16:56", "17:01"):
        clock.look(time(words))
        assert state(floor, symbol) == ("halted", "news")
    assert floor.stands(day)[0] == "expired"


def test_the_closing_price_is_the_next_days_reference(floor):
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    clock = Clock(floor)
    clock.look(time("16:56"))
    floor.ask(seller, symbol, 10, 3_600)
    floor.bid(buyer, symbol, 10, 3_600)
    clock.look(time("17:01"))
    floor.match()
    (row,) = floor.query("SELECT reference_price, state FROM stocks WHERE symbol = :s", s=symbol)
    assert (row.reference_price, row.state) == (3_600, "closed")


def test_each_market_has_its_own_hours(floor):
    early, main = floor.stock(), floor.stock()
    floor.run("UPDATE stocks SET market = 'early' WHERE symbol = :s", s=early)
    sessions = {"early": TradingSchedule(schedule="daily", timezone="Asia/Tokyo")}
    Clock(floor, sessions).look(NOON)
    assert (state(floor, early)[0], state(floor, main)[0]) == ("closed", "open")


def test_a_market_that_is_always_open_rolls_and_nothing_else(floor):
    symbol, buyer = floor.stock(), floor.broker()
    clock = Clock(floor, main=TradingSchedule(timezone="UTC"))
    day = floor.bid(buyer, symbol, 1, 3_400, time_in_force="day")
    assert clock.look(NOON) == []
    assert state(floor, symbol)[0] == "open"
    assert floor.stands(day)[0] == "open"
    assert clock.look(NOON + timedelta(hours=12)) == [(symbol, "A")]
    floor.match()
    assert floor.stands(day)[0] == "expired"
    assert clock.look(NOON + timedelta(hours=13)) == []


def test_other_hours_are_followed_at_once(floor):
    symbol = floor.stock()
    Clock(floor).look(time("08:00"))
    assert state(floor, symbol)[0] == "closed"
    Clock(floor, main=TradingSchedule()).look(time("08:01"))
    assert state(floor, symbol)[0] == "open"


def test_other_hours_leave_alone_what_is_the_same_in_both(floor):
    symbol = floor.stock()
    Clock(floor).look(NOON)
    floor.put_into(symbol, "auction")
    later = replace(DAILY, close="18:00", random_end_seconds=0, volatility_auction_seconds=5)
    assert Clock(floor, main=later).look(NOON) == []
    assert state(floor, symbol)[0] == "auction"
    assert len(Clock(floor, main=later).look(time("18:01"))) == 1
    assert state(floor, symbol)[0] == "closed"


def test_a_volatility_auction_ends_when_its_time_is_over(floor):
    symbol = floor.stock(dynamic_band_bps=100)
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    clock = Clock(floor, main=TradingSchedule(volatility_auction_seconds=60))
    floor.ask(seller, symbol, 10, 3_600)
    floor.bid(buyer, symbol, 10, 3_600)
    assert state(floor, symbol) == ("auction", "volatility")
    now = datetime.now(UTC)
    assert clock.look(now + timedelta(seconds=50)) == []
    assert clock.look(now + timedelta(seconds=70)) == [(symbol, "A")]
    assert clock.look(now + timedelta(seconds=70)) == []
    assert state(floor, symbol) == ("open", "volatility_over")
    assert len(floor.trades(symbol)) == 1


def test_an_auction_that_an_operator_called_does_not_end_by_itself(floor):
    symbol = floor.stock()
    floor.put_into(symbol, "auction")
    clock = Clock(floor, main=TradingSchedule())
    assert clock.look(datetime.now(UTC) + timedelta(hours=1)) == []


def test_a_stock_that_is_listed_at_night_is_closed_from_its_first_command(floor):
    symbol, buyer = floor.stock(), floor.broker()
    with transaction(floor.engine) as session:
        enter_present_phase(session, symbol, DAILY, time("03:00"))
    order = floor.bid(buyer, symbol, 1, 3_400)
    floor.match()
    assert (floor.stands(order)[0], floor.row(order).close_reason) == ("rejected", "stock_closed")
