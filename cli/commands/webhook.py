"""`minex webhook`: a receiver that verifies, for whoever builds one."""

from __future__ import annotations

from typing import Any

import rich_click as click

from cli.options import Secret
from cli.refusals import told
from cli.suggesting import SuggestingGroup
from cli.terminal import CommandError, say
from cli.trade.caller import broker_options, exchange_of
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
@click.option("--set", "sets", is_flag=True, help="Have the exchange tell this address, as long as it listens.")
@broker_options
def listen(secret: str | None, host: str, port: int, sets: bool, **options: Any) -> None:
    """Print what a hook is told, each message once its signature is verified.

    A message that is not signed with the secret, or not within five minutes of now, is answered with 401. With --set
    the broker's hook is set to this address, and at the end to what it was; else set it yourself, by PUT
    /api/v1/webhook, and give its secret. To be told at this machine the exchange needs `[webhooks] allow_private =
    true`.
    """
    if not (secret or sets):
        what = "The hook's secret is needed, to see whether a message is the exchange's."
        raise CommandError(what, f"{VARIABLE}=whsec_…", "minex webhook listen --set")
    if secret and not is_secret(secret):
        raise CommandError("This is no hook's secret: whsec_ and 32 to 88 characters of base64.")
    try:
        listener = Listener(host, port, secret or "", options["status"], as_json=options["as_json"])
    except OSError as error:
        raise CommandError(f"Cannot listen at {host}:{port}: {error.strerror or error}.", "--port 0") from error
    with listener, told():
        if not sets:
            _serve(listener)
            return
        exchange = exchange_of(options["url"], options["key"], options["broker"])
        before = exchange.webhook()
        if before["url"] and not secret:
            raise CommandError(
                f"There is a hook already, at {before['url']}: its secret is needed.", f"{VARIABLE}=whsec_…"
            )
        listener.secret = exchange.set_webhook(listener.url)["secret"] or secret or ""
        try:
            _serve(listener)
        finally:
            if before["url"]:
                exchange.set_webhook(before["url"], events=before["events"], enabled=before["enabled"])
            else:
                exchange.delete_webhook()


def _serve(listener: Listener) -> None:
    say(f"Listening at {listener.url}  (Ctrl+C ends it)")
    listener.serve()
