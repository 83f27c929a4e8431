"""The days on which the exchanges of the world are closed, as the library `holidays` knows them."""

from __future__ import annotations

from datetime import date
from functools import cache


@cache
def closing_days(calendar: str, year: int) -> frozenset[date]:
    """The days of `year` on which the exchange with the code `calendar` is closed; none where it is empty.

    Weekends are among them only where they are holidays as well. Days on which it closes early, or trades and does
    not settle, are not. `settings.calendars` has looked whether there is such a code.
    """
    if not calendar:
        return frozenset()
    from holidays import PUBLIC, financial_holidays  # noqa: PLC0415 - a tenth of a second, where there is a calendar

    return frozenset(financial_holidays(calendar, years=year, expand=False, categories=PUBLIC))
