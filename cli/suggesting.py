"""Groups of commands that know what was meant by a word that is none of them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import ClassVar

import rich_click as click


class SuggestingGroup(click.RichGroup):
    """A group that names the nearest of its commands for an unknown one, by its meaning or by its spelling.

    `elsewhere` has the words of other programs, each with the one to use here.
    """

    elsewhere: ClassVar[Mapping[str, str]] = {}

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first word names. Raises UsageError, which names the nearest one."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            spelled = difflib.get_close_matches(name, self.list_commands(ctx), 1)
            near = self.elsewhere.get(name) or next(iter(spelled), None)
            hint = f" Did you mean {near!r}?" if near else ""
            ctx.fail(f"No such command {name!r}.{hint}")
        return super().resolve_command(ctx, args)
