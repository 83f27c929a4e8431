"""The numbered migrations go up and down, and end where the models are."""

import re
from collections.abc import Callable

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from cli.schema import alembic_config, upgrade
from config import ROOT
from models import Base
from models.session import connect, transaction


@pytest.fixture
def database(new_database: Callable[[], str]) -> str:
    """A database of this test alone, at the newest schema."""
    return new_database()


def tables(url: str) -> set[str]:
    engine = connect(url, pool_size=1)
    try:
        return set(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def test_the_models_say_what_the_migrations_made(database: str) -> None:
    command.check(alembic_config(database))


def test_down_to_nothing_and_up_again(database: str) -> None:
    at_first = tables(database)
    assert at_first == {*Base.metadata.tables, "alembic_version"}
    command.downgrade(alembic_config(database), "base")
    assert tables(database) == {"alembic_version"}
    upgrade(database)
    assert tables(database) == at_first
    command.check(alembic_config(database))
    engine: Engine = connect(database, pool_size=1)
    with transaction(engine) as session:
        cash = session.execute(text("SELECT id, code, kind FROM assets")).one()
    engine.dispose()
    assert tuple(cash) == (1, "cash", "cash")


def test_there_is_one_line_of_migrations_and_their_names_are_numbered() -> None:
    scripts = ScriptDirectory.from_config(alembic_config("postgresql://"))
    assert len(scripts.get_heads()) == 1
    revisions = [revision.revision for revision in scripts.walk_revisions()]
    assert sorted(revisions) == [f"{number:04}" for number in range(1, len(revisions) + 1)]
    files = sorted(path.name for path in (ROOT / "migrations" / "versions").glob("*.py"))
    assert all(re.fullmatch(r"\d{4}_[a-z_]+\.py", name) for name in files)
    assert [name[:4] for name in files] == sorted(revisions)


def test_a_database_that_is_up_to_date_is_left_alone(database: str) -> None:
    upgrade(database)
    assert "orders" in tables(database)
