"""The exchanges whose closing days are known: the codes that `calendar` may be."""

from __future__ import annotations

from settings.spelling import nearest
from settings.values import SettingsError


def check_calendar(calendar: str, place: str) -> None:
    """Raises SettingsError, which names `place` and codes that are near, unless `calendar` is empty or such a code."""
    if not calendar:
        return
    from holidays.registry import EntityLoader  # noqa: PLC0415 - a tenth of a second, where there is a calendar

    known = set(EntityLoader.get_financial_codes())
    if calendar not in known:
        near = nearest(calendar.upper(), known, most=3)
        expected = f"the code of an exchange, such as B3, XNYS, XLON or XJPX{near}"
        raise SettingsError(f"{place} = {calendar!r}: expected {expected}")
