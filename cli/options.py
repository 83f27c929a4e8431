"""Options that several commands share."""

from __future__ import annotations

import dataclasses
import shlex
from pathlib import Path
from typing import Final

import rich_click as click

from embedded.folder import data_folder
from settings.loading import load_settings
from settings.sections import Settings

FROM_FILE: Final = "@"


class Secret(click.ParamType[str]):
    """A text, or `@FILE` for one that a file holds: whoever may list processes sees their arguments."""

    name = "text or @file"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text. Fails where the file cannot be read."""
        return self.read(value, param, ctx)

    def read(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text, with no blanks around it. Fails where the file cannot be read."""
        if not value.startswith(FROM_FILE):
            return value.strip()
        path = Path(value.removeprefix(FROM_FILE))
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            self.fail(f"{path} cannot be read: {error}", param, ctx)


data_folder_option = click.option(
    "--data-folder",
    type=click.Path(file_okay=False, readable=False, path_type=Path),
    help="Where the data is kept; otherwise that of exchange.toml, or .minex in the checkout.",
)


def settings_for(folder: Path | None) -> Settings:
    """The settings, with the data folder of the command line, which is relative to where the user is."""
    settings = load_settings()
    if folder is None:
        return settings
    return dataclasses.replace(
        settings, exchange=dataclasses.replace(settings.exchange, data_folder=str(folder.absolute()))
    )


def for_folder(command: str, folder: Path) -> str:
    """`command` as a hint that means the exchange on `folder`: with --data-folder where it would look elsewhere."""
    if folder == data_folder(load_settings()):
        return command
    return f"{command} --data-folder {shlex.quote(str(folder))}"
