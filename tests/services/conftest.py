"""A floor for each story; when the story is over, everything that must always be true still is."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.services.floor import Floor


@pytest.fixture
def floor(engine: Engine) -> Iterator[Floor]:
    floor = Floor(engine)
    yield floor
    assert floor.findings() == []
