"""API keys on the command line, without their being seen by other users of the machine."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

FROM_FILE: Final = "@"


class ApiKey(click.ParamType[str]):
    """A key, or `@FILE` for one that a file holds: whoever may list processes sees their arguments."""

    name = "key or @file"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The key. Fails where the file cannot be read, or what it holds is no key."""
        if value.startswith(FROM_FILE):
            path = Path(value.removeprefix(FROM_FILE))
            try:
                key = path.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                self.fail(f"{path} cannot be read: {error}", param, ctx)
        else:
            key = value.strip()
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            self.fail("that is not an API key: it has no spaces, and only ASCII characters", param, ctx)
        return key
