"""The same client_order_id again: the same order gets its first answer, another order is refused, for ever."""

import threading
from datetime import UTC, datetime

from database.session import transaction
from services.errors import ClientOrderIdReused, InsufficientFunds, StockHalted
from services.order_entry.placing.answers import Placed
from services.order_entry.placing.place import place_orders
from tests.services.floor import MONEY


def test_the_same_order_again_is_the_same_order(floor):
    symbol, buyer = floor.stock(), floor.broker()
    order = floor.order(buyer, symbol, "bid", 100, 3_500, client_order_id="x")
    (first,) = floor.place(order)
    assert floor.place(order) == [Placed(first.order_id, "pending", True)]
    floor.match(symbol)
    assert floor.place(order) == [Placed(first.order_id, "open", True)]
    floor.cancel(buyer, first.order_id)
    floor.match(symbol)
    assert floor.place(order) == [Placed(first.order_id, "cancelled", True)]
    assert floor.cash(buyer) == (MONEY, 0)
    assert len(floor.query("SELECT FROM commands WHERE order_id = :id AND kind = 'new'", id=first.order_id)) == 1


def test_another_order_under_the_same_id_is_refused(floor):
    symbol, buyer = floor.stock(), floor.broker()
    first = floor.bid(buyer, symbol, 100, 3_500, client_order_id="x")
    (refusal,) = floor.place(floor.order(buyer, symbol, "bid", 100, 3_501, client_order_id="x"))
    assert isinstance(refusal, ClientOrderIdReused)
    assert refusal.facts == {"order_id": first}


def test_an_id_belongs_to_its_broker(floor):
    symbol = floor.stock()
    first, second = (floor.bid(floor.broker(), symbol, 1, 3_500, client_order_id="x") for _ in range(2))
    assert first != second


def test_within_one_batch_the_second_sees_the_first(floor):
    symbol, buyer = floor.stock(), floor.broker()
    order = floor.order(buyer, symbol, "bid", 100, 3_500, client_order_id="x")
    other = floor.order(buyer, symbol, "bid", 200, 3_500, client_order_id="x")
    first, again, reused, free = floor.place(order, order, other, floor.order(buyer, symbol, "bid", 1, 3_500))
    assert (first.known, again) == (False, Placed(first.order_id, "pending", True))
    assert isinstance(reused, ClientOrderIdReused)
    assert free.known is False
    assert floor.cash(buyer)[1] == 100 * 3_500 + 3_500


def test_an_id_whose_order_could_not_be_paid_for_is_free_again(floor):
    symbol, buyer = floor.stock(), floor.broker(350_000)
    too_much = floor.order(buyer, symbol, "bid", 200, 3_500, client_order_id="x")
    enough = floor.order(buyer, symbol, "bid", 100, 3_500, client_order_id="x")
    refusal, placed, _ = floor.place(too_much, enough, too_much)
    assert isinstance(refusal, InsufficientFunds)
    assert placed == Placed(placed.order_id, "pending", False, "A")
    assert isinstance(floor.place(too_much)[0], ClientOrderIdReused)


def test_what_would_be_refused_today_still_gets_its_first_answer(floor):
    symbol, buyer = floor.stock(), floor.broker(350_000)
    order = floor.order(buyer, symbol, "bid", 100, 3_500, client_order_id="x")
    (first,) = floor.place(order)
    floor.put_into(symbol, "closed")
    closed = floor.order(buyer, symbol, "bid", 100, 3_500, client_order_id="x")
    assert floor.place(closed) == [Placed(first.order_id, "open", True)]


def test_two_processes_with_the_same_id_at_once_store_one_order(floor):
    symbol = floor.stock()
    buyer = floor.broker(**{symbol: 1})
    order = floor.order(buyer, symbol, "bid", 100, 3_500, client_order_id="x")
    answers = []

    def second():
        answers.extend(floor.place(order))

    with transaction(floor.engine) as session:
        (first,) = place_orders(lambda work: work(session), [order], {}, floor.market, datetime.now(UTC))
        thread = threading.Thread(target=second)
        thread.start()
        floor.until_somebody_waits()
    thread.join()
    assert answers == [Placed(first.order_id, "pending", True)]
    assert floor.cash(buyer)[1] == 350_000


def test_orders_that_would_be_refused_today_get_their_first_answers_in_one_batch(floor):
    """Three known ones and a new one, all of a stock that has been halted since."""
    symbol, buyer = floor.stock(), floor.broker()
    requests = [floor.order(buyer, symbol, "bid", 1, 3_500, client_order_id=f"early-{n}") for n in range(3)]
    first = floor.place(*requests)
    floor.put_into(symbol, "halted")
    again = [floor.order(buyer, symbol, "bid", 1, 3_500, client_order_id=f"early-{n}") for n in range(3)]
    late = floor.order(buyer, symbol, "bid", 1, 3_500, client_order_id="late")
    *known, refused = floor.place(*again, late)
    assert [(one.order_id, one.known) for one in known] == [(one.order_id, True) for one in first]
    assert isinstance(refused, StockHalted)
