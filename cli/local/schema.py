"""The database's schema, brought to where the code expects it."""

from __future__ import annotations

from alembic import command as alembic
from alembic.config import Config

from settings.loading import ROOT


def alembic_config(url: str) -> Config:
    """Alembic's view of migrations/ for the database at `url`."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations").replace("%", "%%"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Run the migrations that the database at `url` has not seen yet, up to `revision`."""
    alembic.upgrade(alembic_config(url), revision)
