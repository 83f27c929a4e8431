"""The database's schema, brought to where the code expects it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psycopg

from settings.loading import ROOT
from settings.urls import plain

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = ROOT / "migrations"
MIGRATION_LOCK = 4_207_001
"""Advisory lock: of processes that start at once, one after the other changes the schema and says who may what."""
REVISION = re.compile(r"^(down_)?revision = \"?(\w+)\"?$", re.MULTILINE)


def alembic_config(url: str) -> Config:
    """Alembic's view of migrations/ for the database at `url`."""
    from alembic.config import Config  # noqa: PLC0415 - half a second that only a change of the schema needs

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Run the migrations that the database at `url` has not seen yet, up to `revision`."""
    if revision == "head" and revision_of(url) == newest_revision():
        return
    from alembic import command  # noqa: PLC0415

    command.upgrade(alembic_config(url), revision)


def newest_revision() -> str:
    """The one revision that no other one follows."""
    made, followed = _revisions()
    (newest,) = made - followed
    return newest


def known_revisions() -> set[str]:
    """Every revision that this code has a migration of."""
    return _revisions()[0]


def _revisions() -> tuple[set[str], set[str]]:
    """The names of all migrations, and of those that another one follows."""
    made: set[str] = set()
    followed: set[str] = set()
    for path in (MIGRATIONS / "versions").glob("*.py"):
        for below, name in REVISION.findall(path.read_text(encoding="utf-8")):
            (followed if below else made).add(name)
    return made, followed


def revision_of(url: str) -> str | None:
    """The revision of the database's schema; None for a database that has none of ours. Raises psycopg.Error."""
    with psycopg.connect(plain(url), connect_timeout=5) as connection:
        found = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchone()
        if found is None or not found[0]:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None
