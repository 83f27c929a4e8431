"""The highest rate that is borne is found from below, and never one that is not."""

import pytest

from bench.parts.mixed_find import CLOSE_ENOUGH, HIGHEST, highest


@pytest.mark.parametrize("limit", [1.0, 1.05, 1.4, 2.53, 7.7, 39.0])
def test_what_is_found_is_borne_and_close_to_what_is_not(limit):
    tried = []

    def is_borne(share):
        tried.append(share)
        return share <= limit

    found = highest(is_borne)
    assert found <= limit < found * CLOSE_ENOUGH
    assert len(tried) < 20


def test_nothing_is_borne_where_not_even_the_least_is():
    assert highest(lambda share: False) == 0


def test_a_server_that_bears_everything_is_not_asked_for_ever():
    assert highest(lambda share: True) <= HIGHEST
