"""The `minex` command: its subcommands by name, imported only when one is called."""

from __future__ import annotations

import errno
import importlib
import importlib.util
import sys
from typing import NoReturn

import rich_click as click

from cli.exits import USAGE
from cli.suggesting import SuggestingGroup
from cli.terminal import CommandError, show_error
from imports import without_collection
from settings.loading import called_as
from settings.values import SettingsError
from settings.version import version

COMMANDS = {
    "up": ("cli.commands.up", "Start the whole exchange on this machine."),
    "down": ("cli.commands.down", "Stop the exchange; its data stays."),
    "status": ("cli.commands.status", "Show what is running, and where."),
    "doctor": (
        "cli.commands.doctor",
        "Check that nothing is missing on this machine.",
    ),
    "order": ("cli.commands.trading.order", "Place an order: minex order buy PETR4 100 @ 35.00"),
    "orders": ("cli.commands.trading.orders", "Show your orders."),
    "cancel": ("cli.commands.trading.cancel", "Cancel orders."),
    "positions": ("cli.commands.trading.positions", "Show your shares and your cash."),
    "watch": ("cli.commands.trading.watch", "Watch a stock: its book and its trades, live."),
    "run": ("cli.commands.run", "Run one process: web, live, match, clock, reporter, webhooks, clearing or simulator."),
    "alive": ("cli.commands.alive", "Tell whether a process of this container goes on."),
    "rq": ("cli.commands.rq", "Call RQ on the Redis of the exchange: info, suspend, resume."),
    "migrate": ("cli.commands.migrate", "Bring the database to the newest schema."),
    "admin": ("cli.commands.admin", "Let in the first person who administrates the exchange."),
    "admin-key": ("cli.commands.admin_key", "Make a new administrator's key, or show since when there is one."),
    "token-secret": ("cli.commands.token_secret", "Sign people's tokens with another secret."),
    "webhook": ("cli.commands.webhook", "Receive webhooks, and see that they are the exchange's."),
    "verify": ("cli.commands.verify", "Check the books: money, shares, orders and trades."),
    "replay": ("cli.commands.replay", "Send real order flow (LOBSTER) through the running exchange."),
    "simulator": ("cli.commands.simulator", "Let a whole market trade: makers, people, trends and news."),
    "simulate": ("cli.commands.simulate", "Run the matching engine alone: commands in, events out."),
    "bench": (
        "cli.commands.bench",
        "Measure the exchange: speed next to targets, with the books checked after each load.",
    ),
    "test": ("cli.commands.test", "Run the checks and the tests."),
}
"""Each subcommand's module, which has a click command named `command`, and its line in the help."""

ELSEWHERE = {
    **dict.fromkeys(("start", "serve"), "up"),
    **dict.fromkeys(("stop", "kill", "shutdown"), "down"),
    **dict.fromkeys(("ps", "info"), "status"),
    **dict.fromkeys(("check", "diagnose"), "doctor"),
    **dict.fromkeys(("buy", "sell", "place"), "order"),
    "portfolio": "positions",
    "help": "--help",
}
"""Words of other programs, and ours for the same; no spelling would lead from one to the other."""

MACHINE_SAYS_NO = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.EMFILE)
"""Errors of the machine that are no mistake of ours."""


class Commands(SuggestingGroup):
    """A group that shows its help without importing a subcommand, so that `minex --help` is quick."""

    elsewhere = ELSEWHERE

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which a newcomer needs them; only those that this checkout has."""
        return [name for name, (module, _) in COMMANDS.items() if importlib.util.find_spec(module)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A stand-in with the name and the help line."""
        if cmd_name not in self.list_commands(ctx):
            return None
        return click.Command(cmd_name, help=COMMANDS[cmd_name][1])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The real one, imported now."""
        name, stand_in, rest = super().resolve_command(ctx, args)
        if name is None or stand_in is None:
            return name, stand_in, rest
        with without_collection():
            return name, importlib.import_module(COMMANDS[name][0]).command, rest


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"minex {version()}")
        context.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version, help="Show the version."
)
def command() -> None:
    """Minex, a mini stock exchange."""


def main() -> NoReturn:
    """Run the command line and leave with its exit code; every error is shown in one form."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that has no ✓ shows ?
    try:
        result = command.main(prog_name=called_as(), standalone_mode=False)
    except SettingsError as error:
        show_error(click.ClickException(str(error)))
        sys.exit(USAGE)
    except click.ClickException as error:
        show_error(error)
        sys.exit(error.code if isinstance(error, CommandError) else error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has left; Python would complain about flushing it
        sys.exit(0)
    except Exception as error:
        told = _told(error)
        if told is None:
            raise
        show_error(told)
        sys.exit(told.code)
    sys.exit(result if isinstance(result, int) else 0)


def _told(error: Exception) -> CommandError | None:
    """The error to show where the machine or a server says no; None for a mistake of ours, which shows its trace."""
    from cli.local.connection_errors import explained  # noqa: PLC0415 - only an error needs it

    if isinstance(error, OSError) and error.errno in MACHINE_SAYS_NO:
        return CommandError(": ".join(str(part) for part in (error.filename, error.strerror) if part), "minex doctor")
    return explained(error)
