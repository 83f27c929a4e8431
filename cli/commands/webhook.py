"""`minex webhook`: a receiver that verifies, for whoever builds one."""

from __future__ import annotations

import rich_click as click

from cli.options import Secret
from cli.suggesting import SuggestingGroup
from cli.terminal import CommandError, say
from cli.webhooks.listener import Listener
from services.webhooks.signing import is_secret

VARIABLE = "MINEX_WEBHOOK_SECRET"


@click.group(cls=SuggestingGroup)
def command() -> None:
    """Being told of one's trades: webhooks, by Standard Webhooks 1.0."""


@command.command()
@click.option(
    "--secret",
    envvar=VARIABLE,
    type=Secret(),
    show_envvar=True,
    metavar="SECRET|@FILE",
    help="The hook's secret, whsec_….",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65_535), default=9_100, show_default=True, help="0: any free one.")
@click.option("--json", "as_json", is_flag=True, help="Print each message as the JSON that came, one a line.")
@click.option("--status", type=click.IntRange(200, 599), default=204, show_default=True, help="What to answer with.")
def listen(secret: str | None, host: str, port: int, as_json: bool, status: int) -> None:
    """Print what a hook is told, each message once its signature is verified.

    A message that is not signed with the secret, or not within five minutes of now, is answered with 401. To be told at
    this machine, the exchange needs `[webhooks] allow_private = true`; then set the hook, by PUT /api/v1/webhook, to
    the address that is shown.
    """
    if not secret:
        raise CommandError(
            "The hook's secret is needed, to see whether a message is the exchange's.", f"{VARIABLE}=whsec_…"
        )
    if not is_secret(secret):
        raise CommandError("This is no hook's secret: whsec_ and 32 to 88 characters of base64.")
    try:
        listener = Listener(host, port, secret, status, as_json=as_json)
    except OSError as error:
        raise CommandError(f"Cannot listen at {host}:{port}: {error.strerror or error}.", "--port 0") from error
    with listener:
        say(f"Listening at {listener.url}  (Ctrl+C ends it)")
        listener.serve()
