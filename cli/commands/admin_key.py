"""`minex admin-key`: another administrator's key, for one that was lost or has become known."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import rich_click as click
from sqlalchemy import select

from cli.local.acts import origin
from cli.local.database import must_serve
from cli.local.new_admin_key import keep_until_shown, unshown_key, was_shown
from cli.local.run_state import database_of
from cli.options import data_folder_option, settings_for
from cli.supervise.log_file import OWN_NAME, Logbook
from cli.terminal import CommandError, say
from database.session import connect, transaction
from embedded.folder import data_folder as data_folder_of
from models import AdminKey
from services.identity.admin_key import is_admin_key, replace_admin_key
from services.identity.audit_log import audit
from services.timestamps import timestamp
from settings.sections import Settings


@click.command()
@click.option("--new", is_flag=True, help="Make another key and show it; the present one ends.")
@data_folder_option
def command(new: bool, data_folder: Path | None) -> None:
    """Say since when the administrator's key exists, or make another.

    Only a hash of it is kept, so nobody can look it up. A key that was made and not shown yet is shown.
    """
    settings = settings_for(data_folder)
    if settings.exchange.admin_key:
        raise CommandError("The administrator's key is that of MINEX_ADMIN_KEY, and is changed there.")
    folder = data_folder_of(settings)
    key, made_at = _made(settings, folder) if new else _present(settings, folder)
    if key is None:
        say(f"The administrator's key was made {made_at}; only its hash is kept.\n  minex admin-key --new ends it")
        return
    click.echo(key)
    was_shown(folder)
    if new:
        logbook = Logbook(folder / "log" / "minex.log", form=settings.log.format)
        logbook.write(OWN_NAME, "the administrator's key is another one now: minex admin-key --new")
        logbook.close()
        say(f"The key before it ends, within {settings.web.key_cache_ms / 1000:g} s everywhere.")


def _made(settings: Settings, folder: Path) -> tuple[str, str]:
    engine = connect(_url(settings), pool_size=1, application="minex-admin-key")
    try:
        with transaction(engine) as session:
            key = replace_admin_key(session)
            audit(session, origin(), "admin_key.replace", "exchange")
            keep_until_shown(folder, key)
    finally:
        engine.dispose()
    return key, "now"


def _present(settings: Settings, folder: Path) -> tuple[str | None, str]:
    """The key if nobody has seen it yet, and when it was made. Raises CommandError if there is none."""
    engine = connect(_url(settings), pool_size=1, application="minex-admin-key")
    try:
        with transaction(engine) as session:
            made_at = session.scalar(select(AdminKey.created_at).order_by(AdminKey.id.desc()).limit(1))
            if made_at is None:
                raise CommandError("There is no administrator's key.", "minex admin-key --new")
            return unshown_key(folder, partial(is_admin_key, session)), timestamp(made_at)
    finally:
        engine.dispose()


def _url(settings: Settings) -> str:
    url = database_of(settings)
    must_serve(url, "run")
    return url
