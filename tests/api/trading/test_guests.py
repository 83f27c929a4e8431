"""Given brokers that have signed up, then fewer of their orders may be open than of others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.browser import told
from tests.api.venue import PASSWORD, Caller, Venue, an_order, settings_for


@pytest.fixture(scope="module")
def venue(database_url: str, redis_url: str) -> Iterator[Venue]:
    limits = {"signup_open_orders": 3, "signup_orders_per_second": 0, "open_orders": 5}
    venue = Venue(settings_for(database_url, redis_url, limits=limits))
    yield venue
    venue.close()


def guest_of(venue: Venue, name: str) -> Caller:
    made = venue.nobody.post("/signup", {"username": name, "password": PASSWORD}).json
    guest = Caller(venue, None, made["broker_id"], made["user_id"], name)
    guest.log_in()
    return guest


def test_one_by_one(venue: Venue) -> None:
    stock, guest = venue.list(), guest_of(venue, "one.by.one")
    found = [told(guest.post("/orders", an_order("bid", stock, 1))) for _ in range(4)]
    assert found == [(201, None)] * 3 + [(422, "too_many_open_orders")]
    assert guest.post("/orders", an_order("bid", stock, 1)).json["most"] == 3
    with venue.matching():
        assert guest.delete("/orders").json["cancelled"] == 3
    assert guest.order("bid", stock, 1, 3_500)


def test_in_a_batch_as_many_as_there_is_room_for(venue: Venue) -> None:
    stock, guest = venue.list(), guest_of(venue, "in.a.batch")
    results = guest.post("/orders/batch", {"orders": [an_order("bid", stock, 1)] * 5}).json["results"]
    assert [result["status"] for result in results] == [201] * 3 + [422] * 2


def test_by_a_key_of_its_own(venue: Venue) -> None:
    stock, guest = venue.list(), guest_of(venue, "by.a.key")
    made = guest.post("/api-keys", {"name": "Bot", "scopes": ["trade"]}).json
    bot = Caller(venue, made["api_key"])
    assert [bot.post("/orders", an_order("bid", stock, 1)).status_code for _ in range(4)] == [201] * 3 + [422]


def test_others_have_more(venue: Venue) -> None:
    stock, broker = venue.list(), venue.broker()
    assert [broker.post("/orders", an_order("bid", stock, 1)).status_code for _ in range(6)] == [201] * 5 + [422]
