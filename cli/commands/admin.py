"""`minex admin`: the first people who may let others in."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import rich_click as click

from cli.local.acts import origin
from cli.local.database import must_serve
from cli.local.run_state import database_of
from cli.options import data_folder_option, settings_for
from cli.suggesting import SuggestingGroup
from cli.terminal import CommandError, say
from database.session import connect, transaction
from services.errors import MarketError
from services.identity.audit_log import audit
from services.identity.people.passwords import LONGEST, SHORTEST, hash_of_password, refuse_common
from services.identity.people.roles import ADMIN
from services.identity.people.usernames import USERNAME, USERNAME_RULE
from services.identity.people.users import create_user


@click.group(cls=SuggestingGroup)
def command() -> None:
    """People who administrate the exchange. For programs there is the administrator's key: minex admin-key."""


@command.command()
@click.option("--username", default="admin", show_default=True, help="A public handle, kept in lower case.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, one line.")
@data_folder_option
def create(username: str, password_stdin: bool, data_folder: Path | None) -> None:
    """Let in a person who may do everything that an administrator may.

    Asks for the password, of 12 to 128 characters. It lets others in by the API: POST /api/v1/users.
    """
    settings = settings_for(data_folder)
    if not re.fullmatch(USERNAME, username, re.ASCII):
        raise CommandError(f"The username {username!r} will not do. {USERNAME_RULE}")
    name = username.lower()
    url = database_of(settings)
    must_serve(url, "run")
    password = _password(name, password_stdin)
    engine = connect(url, pool_size=1, application="minex-admin")
    try:
        with transaction(engine) as session:
            made = create_user(session, name, hash_of_password(password), ADMIN, None)
            audit(session, origin(), "user.let_in", f"user:{made['user_id']}", after=made)
    except MarketError as refusal:
        raise CommandError(
            f"{name} was not let in. {refusal.detail}", "minex admin create --username OTHER"
        ) from refusal
    finally:
        engine.dispose()
    say(f"{made['username']} is an administrator now, user {made['user_id']}.")


def _password(username: str, from_stdin: bool) -> str:
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = click.prompt("Password", hide_input=True, confirmation_prompt="The same again", err=True)
    else:
        raise CommandError("There is no terminal to ask for the password.", "minex admin create --password-stdin")
    if not SHORTEST <= len(password) <= LONGEST:
        raise CommandError(f"The password must have {SHORTEST} to {LONGEST} characters.")
    try:
        refuse_common(password, username)
    except MarketError as refusal:
        raise CommandError(refusal.detail) from refusal
    return str(password)
