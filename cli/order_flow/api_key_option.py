"""API keys on the command line, without their being seen by other users of the machine."""

from __future__ import annotations

import click

from cli.options import Secret


class ApiKey(Secret):
    """A key, or `@FILE` for one that a file holds."""

    name = "key or @file"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The key. Fails where the file cannot be read, or what it holds is no key."""
        key = self.read(value, param, ctx)
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            self.fail("that is not an API key: it has no spaces, and only ASCII characters", param, ctx)
        return key
