"""The secret that people's tokens are signed with: that of the settings, else one of our own in the data folder."""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
from pathlib import Path

from embedded.folder import data_folder
from machine.ownership import read_own
from machine.secret import kept_secret, write_private
from settings.in_public import is_public
from settings.sections import Settings

FILE = "token-secret"
"""In its first line the secret that signs, in its second the one before it, which is believed as well."""


def with_token_secret(settings: Settings) -> Settings:
    """The settings with secrets for tokens; made where neither they nor the data folder have any.

    Raises OSError where the folder takes no file, NotOursError for a file that is not ours alone.
    """
    if settings.identity.token_secret:
        return settings
    folder = data_folder(settings)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret, _, previous = kept_secret(folder / FILE).partition("\n")
    identity = dataclasses.replace(settings.identity, token_secret=secret, previous_token_secret=previous.strip())
    return dataclasses.replace(settings, identity=identity)


def for_people(settings: Settings) -> Settings:
    """The same, and whether strangers may sign up: to servers of our own, not in public, unless something is said."""
    identity = with_token_secret(settings).identity
    if identity.signup is None:
        identity = dataclasses.replace(identity, signup=not settings.database.url and not is_public(settings))
    return dataclasses.replace(settings, identity=identity)


def replace_token_secret(folder: Path) -> None:
    """Sign with a new secret from the next start on; what the present one has signed is still believed.

    Raises OSError, NotOursError.
    """
    known = ""
    with contextlib.suppress(FileNotFoundError):
        known = read_own(folder / FILE).partition("\n")[0]
    write_private(folder / FILE, f"{secrets.token_hex(24)}\n{known}\n")
