"""Given profits, deposits and withdrawals, then what an account is worth follows, and what comes in is no profit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from database.session import transaction
from services.accounts.equity import take_equity
from tests.api.venue import Caller, Venue


def now_of(broker: Caller) -> dict[str, Any]:
    """The last point of the history, which is of now."""
    point: dict[str, Any] = broker.get("/portfolio/history")["items"][-1]
    amounts = {name: int(amount) for name, amount in point.items() if name != "time"}  # beyond 2^53 they are texts
    profit = amounts["realised_pnl"] + amounts["unrealised_pnl"] - amounts["fees"]
    assert amounts["equity"] == amounts["net_deposits"] + profit
    assert point["equity"] == broker.get("/balance")["equity"]
    return point


def moved(venue: Venue, broker: Caller, kind: str, reference: str, **what: Any) -> None:
    answer = venue.admin.post(f"/brokers/{broker.broker_id}/{kind}", {"reference": reference, **what})
    assert answer.status_code == 201, answer.text


def test_a_deposit_is_no_profit(venue: Venue) -> None:
    stock = venue.list(reference_price=100, band=0)
    broker, other = venue.broker(cash=100_000), venue.broker(cash=10**7, shares={stock: 100})
    other.order("ask", stock, 2, 100)
    broker.order("bid", stock, 2, 100)
    venue.match()
    broker.order("ask", stock, 2, 200)
    other.order("bid", stock, 2, 200)
    venue.match()
    before = now_of(broker)
    assert (before["equity"], before["realised_pnl"]) == (100_200, 200)
    moved(venue, broker, "deposit", "1", cash=800)
    moved(venue, broker, "deposit", "2", positions={stock: {"quantity": 10, "cost": 2_000}})
    after = now_of(broker)
    assert after["equity"] == before["equity"] + 800 + 2_000
    assert after["realised_pnl"] + after["unrealised_pnl"] == 200
    moved(venue, broker, "withdraw", "3", cash=500, positions={stock: {"quantity": 5}})
    last = now_of(broker)
    assert last["equity"] == after["equity"] - 500 - 1_000
    assert last["realised_pnl"] + last["unrealised_pnl"] == 200
    assert last["net_deposits"] == 100_000 + 800 + 2_000 - 500 - 1_000


def test_shares_that_cost_nothing_have_amounts_and_no_percentages(venue: Venue) -> None:
    stock, broker = venue.list(reference_price=300), venue.broker(cash=0)
    moved(venue, broker, "deposit", "1", positions={stock: {"quantity": 10, "cost": 0}})
    (position,) = broker.get("/portfolio")["positions"]
    assert (position["average_cost"], position["unrealised_pnl"]) == (0, 3_000)
    assert now_of(broker)["unrealised_pnl"] == 3_000


def test_an_account_of_nothing_is_worth_nothing(venue: Venue) -> None:
    broker = venue.broker(cash=0)
    assert now_of(broker) | {"time": ""} == {
        "time": "", "equity": 0, "cash": 0, "realised_pnl": 0, "unrealised_pnl": 0, "fees": 0, "net_deposits": 0,
    }  # fmt: skip


def test_no_figure_past_64_bits_breaks_it(venue: Venue) -> None:
    stock, broker = venue.list(reference_price=10**9), venue.broker(cash=0)
    moved(venue, broker, "deposit", "1", positions={stock: {"quantity": 10**12, "cost": 0}})
    assert broker.get("/balance")["equity"] == str(10**21)
    assert now_of(broker)["equity"] == str(10**21)


def test_each_hour_has_one_point_and_each_day_its_first(venue: Venue) -> None:
    broker = venue.broker(cash=1_000)
    begin = datetime.now(UTC).replace(hour=22, minute=10) + timedelta(days=1)
    for hours in (0, 0, 1, 2, 3, 26):
        with transaction(venue.engine) as session:
            take_equity(session, begin + timedelta(hours=hours, minutes=5))
    full = [point["time"] for point in broker.get("/portfolio/history")["items"]][:-1]
    assert [time[11:16] for time in full] == ["22:00", "23:00", "00:00", "01:00", "00:00"]
    days = broker.get("/portfolio/history", interval="1d")["items"]
    assert [point["time"][11:16] for point in days[:-1]] == ["00:00", "00:00"]
    assert days[-1]["time"] < days[0]["time"], "and now, which those of this test are after"
    part = broker.get("/portfolio/history", **{"from": full[1], "to": full[3]})["items"]
    assert [point["time"] for point in part[:2]] == full[1:3]


def test_it_is_ones_own(venue: Venue) -> None:
    rich, poor = venue.broker(cash=10**9), venue.broker(cash=1)
    with transaction(venue.engine) as session:
        take_equity(session, datetime.now(UTC) + timedelta(days=9))
    assert [point["equity"] for point in rich.get("/portfolio/history")["items"]] == [10**9] * 2
    assert [point["equity"] for point in poor.get("/portfolio/history")["items"]] == [1] * 2


@pytest.mark.parametrize(
    "query", [{"interval": "5m"}, {"from": "x"}, {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}]
)
def test_what_cannot_be_meant_is_refused(venue: Venue, query: dict[str, str]) -> None:
    assert venue.broker().call("GET", "/portfolio/history", query_string=query).status_code == 422
