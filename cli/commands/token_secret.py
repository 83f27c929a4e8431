"""`minex token-secret`: sign people's tokens with another secret, for one that has become known or is old."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from cli.local.run_state import running
from cli.local.token_secret import FILE, replace_token_secret
from cli.options import data_folder_option, settings_for
from cli.terminal import CommandError, say
from embedded.folder import data_folder as data_folder_of
from machine.errors import NotOursError


@click.command()
@click.option("--new", is_flag=True, help="Make another; what the present one has signed is still believed.")
@data_folder_option
def command(new: bool, data_folder: Path | None) -> None:
    """Say where the secret is that signs people's tokens, or make another.

    Nobody is logged out by that: tokens of the one before are still good. Made twice, everybody is.
    """
    settings = settings_for(data_folder)
    if settings.identity.token_secret:
        raise CommandError(
            "The secret is that of MINEX_IDENTITY_TOKEN_SECRET, and is changed there; "
            "give the one before as MINEX_IDENTITY_PREVIOUS_TOKEN_SECRET."
        )
    folder = data_folder_of(settings)
    if not new:
        say(f"The secret is kept in {folder / FILE}.\n  minex token-secret --new makes another")
        return
    try:
        replace_token_secret(folder)
    except (OSError, NotOursError) as error:
        raise CommandError(f"The secret cannot be kept: {error}.") from error
    if running(folder) is not None:
        say("There is another secret; it signs from the next start on.\n  minex down, then minex up")
    else:
        say("There is another secret; it signs from the next start on.")
