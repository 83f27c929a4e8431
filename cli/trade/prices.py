"""Prices as people write them, and as the exchange counts them."""

from __future__ import annotations

import re

import click

PRICE = re.compile(r"@?\s*([0-9]{1,12})(?:[.,]([0-9]{1,2}))?")


def cents_of(text: str) -> int:
    """`35`, `35.9`, `35.90`, `35,90` or `@35.90` in cents. Raises ValueError."""
    match = PRICE.fullmatch(text.strip())
    if match is None:
        raise ValueError("a price such as 35.90, with two decimals at most")
    return int(match[1]) * 100 + int((match[2] or "").ljust(2, "0"))


def price_of(cents: int | float | None) -> str:
    """Cents as people read them; a dash for none."""
    return "-" if cents is None else f"{cents / 100:,.2f}"


class Price(click.ParamType[int]):
    """A price of the command line, in cents."""

    name = "price"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The cents. Fails for what is no price."""
        if isinstance(value, int):
            return value
        try:
            return cents_of(value)
        except ValueError as error:
            self.fail(f"{value!r} is no price: expected {error}", param, ctx)
