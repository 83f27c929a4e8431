"""Given orders that only rest, when they are placed, then with as few requests as the exchange lets them."""

from __future__ import annotations

import pytest

from cli.order_flow.patience import PATIENCE_SECONDS, Waiting, patient_exchange
from cli.order_flow.resting_orders import RestingOrders
from cli.refusals import told
from cli.terminal import CommandError
from client import Exchange, OutcomeUnknown, Refused, Unreachable

BODIES = [{"client_order_id": f"n{n}"} for n in range(1, 6)]


class Answers:
    """Stands in for a transport: it answers one batch after the other."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def call(self, method, path, body, **options):
        assert options == {"repeatable": True}
        self.asked.append((method, path, body))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return type("Answer", (), {"json": lambda _: answer})()

    def new_patience(self):
        return type("Patience", (), {"wait": lambda *_: True})()


def exchange_of(*answers):
    exchange = Exchange("http://nowhere")
    exchange.transport = Answers(*answers)
    return exchange


def results(*each):
    """The answer to a batch: an order's id, or a code of what was put off or refused."""
    put_off = ("busy", "outcome_unknown")
    return {
        "results": [
            {"status": 201, "order": {"order_id": one}}
            if isinstance(one, int)
            else {"status": 503 if one in put_off else 422, "problem": {"code": one, "detail": f"It is {one}."}}
            for one in each
        ]
    }


def test_they_go_as_one_batch():
    exchange = exchange_of(results(1, 2, 3, 4, 5))
    assert RestingOrders(exchange).place(BODIES) == [1, 2, 3, 4, 5]
    assert exchange.transport.asked == [("POST", "/orders/batch", {"orders": BODIES})]
    assert RestingOrders(exchange).place([]) == []


def test_a_batch_of_which_a_part_was_put_off_is_sent_again_under_the_same_names():
    exchange = exchange_of(results(1, "busy", 3, "outcome_unknown", 5), results(1, 6, 3, 7, 5))
    assert RestingOrders(exchange).place(BODIES) == [1, 6, 3, 7, 5]
    assert exchange.transport.asked == [("POST", "/orders/batch", {"orders": BODIES})] * 2


def test_an_order_that_is_refused_ends_the_batch():
    with pytest.raises(Refused, match="off_tick"):
        RestingOrders(exchange_of(results(1, 2, "off_tick", 4, 5))).place(BODIES)


def test_too_little_is_explained():
    with pytest.raises(CommandError, match="A broker has too little for this file: 422 insufficient_shares"):
        RestingOrders(exchange_of(results(1, 2, "insufficient_shares", 4, 5))).place(BODIES)


def test_a_broker_who_may_place_few_at_once_sends_smaller_batches():
    too_large = Refused(422, {"code": "batch_too_large", "limit": 2})
    exchange = exchange_of(too_large, results(1, 2), results(3, 4), {"order_id": 5})
    orders = RestingOrders(exchange)
    assert orders.place(BODIES) == [1, 2, 3, 4, 5]
    assert [len(body.get("orders", [body])) for _, _, body in exchange.transport.asked] == [5, 2, 2, 1]
    assert orders.most == 2


def test_long_waits_are_said_once(capsys):
    waiting = Waiting()
    for _ in range(10):
        waiting(1.0, "429 too_many_requests")
    assert capsys.readouterr().err.count("waiting up to 60 s") == 1
    assert patient_exchange("http://x", "k").transport.patience == PATIENCE_SECONDS


@pytest.mark.parametrize(
    ("error", "said", "code"),
    [
        (Refused(422, {"code": "off_tick", "detail": "Not a tick."}), "Not a tick. (off_tick)", 4),
        (Refused(503, {"code": "busy"}), "The exchange does not take it now: 503 busy", 1),
        (Unreachable("no exchange answers at x"), "No exchange answers at x", 3),
        (OutcomeUnknown("lost", "mine"), "It may be done or not: its answer was lost. Its client_order_id is mine.", 1),
    ],
)
def test_what_the_client_raises_is_told_as_commands_do(error, said, code):
    with pytest.raises(CommandError) as shown, told():
        raise error
    assert (shown.value.message, shown.value.code) == (said, code)
