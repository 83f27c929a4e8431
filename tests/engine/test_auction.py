"""Whatever has gathered, the auction finds the price that trying every price finds."""

import random
from types import SimpleNamespace

import pytest

from engine import ASK, BID, Book, Indicative, New, Order, Rules, State
from engine.trading.auction import equilibrium
from tests.engine import naive_auction
from tests.engine.naive import NaiveBook


def gathered(choose):
    """Random rules, a reference and a few orders: limits as another tick or band has left them, and market orders."""
    orders = []
    for number in range(1, choose.randint(2, 12)):
        kind = choose.choice(["limit", "limit", "limit", "market"])
        price = choose.choice([None, choose.randint(95, 105)]) if kind == "market" else choose.randint(95, 105)
        orders.append(
            Order(number, None, choose.choice((BID, ASK)), kind, price, choose.randint(1, 4), priority=number)
        )
    rules = Rules(tick=choose.choice([1, 1, 2, 5]), band_bps=choose.choice([0, 0, 200, 400]))
    return rules, choose.choice([None, *range(90, 111)]), orders


def found_by_trying(rules, reference, orders):
    book = NaiveBook(rules, reference)
    names = ("id", "side", "type", "price")
    values = [{name: getattr(order, name) for name in names} for order in orders]
    book.orders = [
        SimpleNamespace(**one, elected=False, left=order.quantity, joined=order.priority)
        for one, order in zip(values, orders, strict=True)
    ]
    return naive_auction.equilibrium(book)


@pytest.mark.parametrize("part", range(4))
def test_random_books(part):
    for seed in range(part * 2000, (part + 1) * 2000):
        rules, reference, orders = gathered(random.Random(seed))
        expected = found_by_trying(rules, reference, orders)
        book = Book(rules, reference, state="auction")
        book.restore(orders)
        found = equilibrium(book)
        assert (found.price, found.volume, found.surplus) == expected, (seed, rules, reference, orders)


def test_a_book_that_tells_no_indicative_price_is_asked_for_it():
    book = Book(Rules())
    book.tells_indicative = False
    assert not book.renew_indicative()
    told = [book.apply(State("auction"), 1)]
    told += [book.apply(New(Order(side, None, side, "limit", 1000, 5)), 1) for side in (BID, ASK)]
    assert not [event for events in told for event in events if isinstance(event, Indicative)]
    assert (book.renew_indicative(), book.indicative) == (True, Indicative(1000, 5, 0))
    assert not book.renew_indicative()
