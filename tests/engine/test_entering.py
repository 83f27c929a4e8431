"""What a new order must be that no story in plain text can say otherwise."""

import pytest

from engine import BID, Book, New, Order, Rejected, Rules


@pytest.mark.parametrize("more", [{"type": "pegged"}, {"tif": "at_the_opening"}])
def test_a_type_or_a_time_in_force_that_nobody_knows_is_refused(more):
    values = {"type": "limit", "tif": "gtc"} | more
    order = Order("a", None, BID, price=1000, quantity=5, **values)
    assert Book(Rules()).apply(New(order), 1) == [Rejected("a", "unsupported")]
