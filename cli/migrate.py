"""`minex migrate`: bring the database to the newest schema."""

from __future__ import annotations

from alembic import command
from alembic.config import Config

from config import ROOT


def alembic_config(url: str) -> Config:
    """Alembic's view of migrations/ for the database at `url`; there is no alembic.ini to keep in step."""
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations").replace("%", "%%"))
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    config.attributes["sqlalchemy.url"] = url
    return config


def upgrade(url: str, revision: str = "head") -> None:
    """Run the migrations that the database at `url` has not seen yet, up to `revision`."""
    command.upgrade(alembic_config(url), revision)
