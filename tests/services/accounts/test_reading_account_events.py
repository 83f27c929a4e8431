"""What was told is read back, number by number, as it was told."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from database.session import transaction
from services.accounts.account_events import last_account_events, read_account_events
from tests.services.floor import Floor
from tests.services.stream import Stream

AMENDED = ("stop_price", "valid_until")
"""Members that are told as they are now."""


def without(payload: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in payload.items() if name not in names}


@pytest.mark.parametrize("seed", range(3))
def test_what_is_read_back_is_what_was_told(floor: Floor, seed: int) -> None:
    stream = Stream(floor, seed=100 + seed)
    told: dict[int, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
    match = floor.match

    def matching(*symbols: str, **options: Any) -> Any:
        turn = match(*symbols, **options)
        for message in turn.messages:
            if message.room[0] == "user" and message.event != "PORTFOLIO_UPDATED":
                told[int(message.room[1])].append((message.event, message.payload))
        return turn

    floor.match = matching  # type: ignore[method-assign]
    with transaction(floor.engine) as session:
        before = last_account_events(session, [row.id for row in floor.query("SELECT id FROM brokers")])
    for _ in range(150):
        stream.step()
    stream.drain()
    assert {event for events in told.values() for event, _ in events} >= {
        "ORDER_OPENED", "ORDER_FILLED", "ORDER_CANCELLED", "ORDER_AMENDED", "ORDER_EXPIRED", "ORDER_REJECTED",
    }  # fmt: skip
    for broker_id, events in told.items():
        with transaction(floor.engine) as session:
            last = last_account_events(session, [broker_id])[broker_id]
            found = list(read_account_events(session, broker_id, before.get(broker_id, 0), 10_000))
        assert [item["account_sequence"] for item in found] == list(range(before.get(broker_id, 0) + 1, last + 1))
        assert [item["event"] for item in found] == [event for event, _ in events]
        for item, (_, payload) in zip(found, events, strict=True):
            assert without(item["payload"], *AMENDED) == without(payload, *AMENDED)
            happened = payload.get("busted_at") or payload.get("adjusted_at") or payload["executed_at"]
            assert item["at"] == happened


def test_a_fill_is_told_with_its_own_price_and_shares(floor: Floor) -> None:
    symbol = floor.stock()
    seller, buyer = floor.broker(**{symbol: 100}), floor.broker()
    floor.ask(seller, symbol, 30, 3_400)
    floor.bid(buyer, symbol, 100, 3_500)
    floor.match(symbol)
    with transaction(floor.engine) as session:
        _, fill = read_account_events(session, buyer, 0, 10)
        assert list(read_account_events(session, buyer, 1, 10)) == [fill]
        assert list(read_account_events(session, buyer, 2, 10)) == []
    payload = fill["payload"]
    assert (payload["price"], payload["quantity"]) == (3_400, 30)
    assert (payload["order_price"], payload["order_quantity"], payload["remaining_quantity"]) == (3_500, 100, 70)
    assert payload["account_sequence"] == 2
