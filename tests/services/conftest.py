"""A floor for each story; when the story is over, everything that must always be true still is."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from models.session import PLANS, connect
from tests.services.floor import Floor


@pytest.fixture(scope="module")
def engine(database_url: str) -> Iterator[Engine]:
    """Planned as in the processes: whether a statement is right under concurrency hangs on its plan, too."""
    engine = connect(database_url, pool_size=64, application="minex-test", **PLANS)
    yield engine
    engine.dispose()


@pytest.fixture
def floor(engine: Engine) -> Iterator[Floor]:
    floor = Floor(engine)
    yield floor
    assert floor.findings() == []
