"""Given settings and a machine, then the connections that all processes may have are known before any is opened."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from api.runtime.database import Database
from settings.connections import POOLS_OF_WEB, Connections, connections_of, processes_of
from settings.processes import Web
from settings.sections import Database as DatabaseSection
from settings.sections import Settings


@pytest.mark.parametrize(("processors", "processes"), [(1, 1), (2, 1), (8, 4), (16, 8), (64, 32)])
def test_every_two_processors_have_a_web_process_and_its_pools(
    monkeypatch: pytest.MonkeyPatch, processors: int, processes: int
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: processors)
    settings = replace(Settings(), match=replace(Settings().match, groups=("A", "B", "C")))
    assert processes_of(settings.web) == processes
    assert processes_of(Web(processes=5)) == 5
    assert connections_of(settings).total == processes * (2 * 16 + 4) + (16 + 2) + 3 + 3 + 4 + 10


def test_the_pool_size_that_fits_is_the_largest_one() -> None:
    for allowed in range(0, 400, 7):
        wanted = Connections(4, 16, 2)
        size = wanted.fitting_pool_size(allowed)
        assert size == 0 or replace(wanted, pool_size=size).total <= allowed
        assert replace(wanted, pool_size=size + 1).total > allowed


def test_a_web_process_has_as_many_pools_as_are_counted(database_url: str) -> None:
    database = Database(replace(Settings(), database=DatabaseSection(url=database_url, pool_size=7)))
    pools = [found.pool.size() for found in vars(database).values() if isinstance(found, Engine)]  # type: ignore[attr-defined]
    assert pools == [7] * (POOLS_OF_WEB + 2)  # two of them only where threads cannot share connections
    database.close()
