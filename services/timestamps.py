"""One moment in its three forms: PostgreSQL's, the engine's (microseconds since 1970 UTC, exact), and RFC 3339."""

from datetime import UTC, datetime, timedelta
from typing import overload

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@overload
def microseconds(moment: datetime) -> int: ...
@overload
def microseconds(moment: None) -> None: ...
def microseconds(moment: datetime | None) -> int | None:
    """Microseconds since 1970 UTC, without floating point; None stays None."""
    if moment is None:
        return None
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def moment(microseconds_since_1970: int) -> datetime:
    """The inverse of `microseconds`."""
    return EPOCH + timedelta(microseconds=microseconds_since_1970)


@overload
def timestamp(instant: datetime) -> str: ...
@overload
def timestamp(instant: None) -> None: ...
def timestamp(instant: datetime | None) -> str | None:
    """RFC 3339 in UTC with microseconds, such as 2026-03-02T14:03:22.000000Z; None stays None."""
    if instant is None:
        return None
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    return f"{instant.isoformat(timespec='microseconds')[:-6]}Z"
