"""A floor for each story; when the story is over, everything that must always be true still is."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from models.session import connect
from tests.services.floor import Floor


@pytest.fixture(scope="module")
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url, pool_size=64, application="minex-test")
    yield engine
    engine.dispose()


@pytest.fixture
def floor(engine: Engine) -> Iterator[Floor]:
    floor = Floor(engine)
    yield floor
    assert floor.findings() == []
