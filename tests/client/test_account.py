"""An account mirror that is fed by hand: what it remembers, and what it does with answers that come, or do not."""

from __future__ import annotations

from typing import Any

import pytest

from client import AccountMirror, Exchange, OutcomeUnknown, Refused


class Scripted(Exchange):
    """An exchange that answers as it is told to, without a network."""

    def __init__(self, *answers: Any) -> None:
        super().__init__("http://127.0.0.1:9")
        self.answers = list(answers)

    def place_orders(self, bodies: Any) -> Any:
        answer = self.answers.pop(0)
        if callable(answer):
            return answer(bodies)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def order_by_client_id(self, client_order_id: str) -> Any:
        return self.answers.pop(0)


def mirror_of(*answers: Any, **options: Any) -> AccountMirror:
    mirror = AccountMirror(Scripted(*answers), **options)
    mirror.account_sequence = 0
    return mirror


def bodies(*names: str) -> list[dict[str, Any]]:
    return [{"client_order_id": name, "symbol": "PETR4", "side": "bid", "quantity": 10} for name in names]


def filled(number: int, order_id: int = 1, name: str | None = None) -> dict[str, Any]:
    return {
        "account_sequence": number, "order_id": order_id, "client_order_id": name, "symbol": "PETR4",
        "status": "filled", "price": 3_500, "quantity": 10, "order_price": 3_500, "order_quantity": 10,
    }  # fmt: skip


def test_it_remembers_all_fills_or_as_many_as_it_is_told_to() -> None:
    every, few = mirror_of(), mirror_of(remembers=3)
    for number in range(1, 11):
        for mirror in (every, few):
            mirror.take("ORDER_FILLED", filled(number, number))
    assert [fill["account_sequence"] for fill in every.fills()] == list(range(1, 11))
    assert [fill["account_sequence"] for fill in few.fills()] == [8, 9, 10]


def test_several_orders_are_known_once_they_are_answered() -> None:
    taken = {"status": 201, "order": {"order_id": 7, "status": "pending"}}
    refused = {"status": 422, "problem": {"code": "insufficient_funds"}}
    mirror = mirror_of([taken, refused])
    assert [one["status"] for one in mirror.place_orders(bodies("a", "b"))] == [201, 422]
    assert [(order["order_id"], order["symbol"]) for order in mirror.orders()] == [(7, "PETR4")]
    assert [(order["remaining_quantity"], order["filled_quantity"]) for order in mirror.orders()] == [(10, 0)]
    assert mirror.orders("VALE3") == []
    assert mirror.order("b") is None


def test_where_the_answer_is_lost_they_are_unknown_until_somebody_knows() -> None:
    mirror = mirror_of(OutcomeUnknown("cut"), None, {**filled(0, 9, "c"), "status": "open"})
    assert mirror.place_orders(bodies("a", "b", "c")) == []
    mirror.take("ORDER_OPENED", {**filled(1, 5, "a"), "status": "open"})
    assert [order["status"] for order in mirror.orders()] == ["open", "unknown", "unknown"]
    assert [order["client_order_id"] for order in mirror.resolve()] == ["b"]
    assert [order["order_id"] for order in mirror.orders()] == [5, 9]
    assert mirror.resolve() == []


def test_where_all_are_refused_none_is_known() -> None:
    mirror = mirror_of(Refused(403, {"code": "broker_suspended"}))
    with pytest.raises(Refused, match="broker_suspended"):
        mirror.place_orders(bodies("a", "b"))
    assert mirror.orders() == []


def test_orders_that_have_ended_are_forgotten_where_there_are_many() -> None:
    answers = [[{"status": 201, "order": {"order_id": n, "status": "pending"}}] for n in range(1, 21)]
    mirror = mirror_of(*answers, remembers=5)
    for number in range(1, 21):
        mirror.place_orders(bodies(f"n{number}"))
        mirror.take("ORDER_FILLED", filled(number, number, f"n{number}"))
    known = [number for number in range(1, 21) if mirror.order(f"n{number}") is not None]
    assert known[-1] == 20
    assert len(known) <= 6


def test_what_ends_before_its_answer_comes_may_be_forgotten_by_then() -> None:
    def answer(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for number, body in enumerate(bodies, 1):
            mirror.take("ORDER_FILLED", filled(number, number, body["client_order_id"]))
        return [{"status": 201, "order": {"order_id": n, "status": "pending"}} for n in range(1, len(bodies) + 1)]

    mirror = mirror_of(answer, remembers=1)
    assert [one["status"] for one in mirror.place_orders(bodies(*"abcdefgh"))] == [201] * 8
    assert mirror.orders() == []
