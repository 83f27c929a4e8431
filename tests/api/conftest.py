"""One application for each test module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.venue import Venue, settings_for


@pytest.fixture(scope="module")
def venue(database_url: str, redis_url: str) -> Iterator[Venue]:
    """The application on a database of this module alone, with a waiting time of 0.3 s for cancels."""
    venue = Venue(settings_for(database_url, redis_url))
    yield venue
    venue.close()
