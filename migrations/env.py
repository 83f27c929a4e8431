"""Alembic's entry: runs the numbered migrations on the database that the caller or the settings name."""

import sys
from pathlib import Path

from alembic import context

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from cli.local.schema import MIGRATION_LOCK
from database.session import connect
from models import Base
from settings.loading import load_settings


def run() -> None:
    """Migrate in one transaction, alone."""
    url = context.config.get_main_option("sqlalchemy.url") or load_settings().database.owner
    engine = connect(url, pool_size=1, application="minex-migrate")
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata, compare_server_default=False)
        with context.begin_transaction():
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            context.run_migrations()
    engine.dispose()


run()
