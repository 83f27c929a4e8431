"""Nothing that somebody sends is answered by more than he sent, or read for longer than others can wait."""

from __future__ import annotations

import pytest

from api.http.problems import MORE, MOST_ERRORS, InvalidRequest, bounded
from api.http.strict_json import MOST_BRACKETS, parse_object


def test_a_few_errors_are_all_named() -> None:
    errors = {f"field{n}": ["Wrong."] for n in range(MOST_ERRORS)}
    assert InvalidRequest(errors=errors).errors == errors


def test_of_many_errors_the_first_are_named_and_the_rest_counted() -> None:
    errors = {f"field{n}": ["Wrong."] for n in range(MOST_ERRORS + 5)}
    told = InvalidRequest(errors=errors)
    assert list(told.errors) == [*list(errors)[:MOST_ERRORS], MORE]
    assert told.errors[MORE] == ["And 5 more."]
    assert "20 more" in told.detail


def test_a_long_name_is_cut() -> None:
    assert list(bounded({"n" * 100_000: ["Unknown field."]})) == ["n" * 64]


@pytest.mark.parametrize("piece", [b"[]", b"{}"])
def test_a_body_of_brackets_is_refused_before_it_is_read(piece: bytes) -> None:
    body = b'{"orders":[' + b",".join([piece] * MOST_BRACKETS) + b"]}"
    with pytest.raises(InvalidRequest, match="too many"):
        parse_object(body)
