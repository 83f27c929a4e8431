"""Given a price as people write it, then it is so many cents, or none."""

from __future__ import annotations

import pytest

from cli.trade.prices import cents_of, price_of


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("35", 3_500),
        ("35.9", 3_590),
        ("35.90", 3_590),
        ("35,90", 3_590),
        ("@35.90", 3_590),
        ("@ 35", 3_500),
        ("0.01", 1),
    ],
)
def test_a_price_is_so_many_cents(text: str, cents: int) -> None:
    assert cents_of(text) == cents


@pytest.mark.parametrize(
    "text", ["", "@", "-1", "35.901", "3.5.5", "1,000.00", "1e3", "x", "35.", ".5", "٣٥", "9" * 13]
)
def test_what_is_no_price(text: str) -> None:
    with pytest.raises(ValueError, match=r"35\.90"):
        cents_of(text)


def test_cents_are_read_back() -> None:
    assert [price_of(cents) for cents in (3_590, 1, 123_456_789, 3_590.25, None)] == [
        "35.90", "0.01", "1,234,567.89", "35.90", "-",
    ]  # fmt: skip
