"""What a page or a program has to know of this exchange before it begins."""

from typing import Final

from marshmallow import Schema, fields

from api.access.resource import Resource
from api.access.rights import Access
from api.components import components
from api.http.answers import Answer, answer
from api.http.calls import present
from services.identity.people.passwords import LONGEST, SHORTEST
from services.identity.people.usernames import USERNAME_RULE
from services.operations.epoch import read_epoch
from settings.processes import Live
from settings.urls import server_url
from settings.version import version

blueprint = Resource("configuration", __name__, url_prefix="/api/v1", description="What this exchange is like.")

PASSWORD_RULE: Final = (
    f"Must have {SHORTEST} to {LONGEST} characters, not all of them the same, and none that is common."
)

EVERYWHERE: Final = ("", "0.0.0.0", "::")  # noqa: S104 - compared, not bound


class ConfigSchema(Schema):
    """What this exchange is like."""

    name = fields.String(required=True)
    version = fields.String(required=True)
    currency = fields.String(required=True, metadata={"description": "What a cent is a hundredth of."})
    epoch = fields.String(required=True, metadata={"description": "All numbers belong to it."})
    live_url = fields.String(required=True, metadata={"description": "Where Socket.IO and the stream are served."})
    signup = fields.Boolean(required=True, metadata={"description": "Whether strangers may sign up."})
    signup_cash = fields.Integer(required=True, metadata={"description": "Cents of paper money for who does."})
    username_rule = fields.String(required=True)
    password_rule = fields.String(required=True)
    features = fields.List(fields.String(), required=True, metadata={"description": "What else there is."})


@blueprint.open_to(Access.MARKET, "/config")
@blueprint.response(200, ConfigSchema)
def get_config() -> Answer:
    """What a page or a program has to know before it begins"""
    settings = components().settings
    with components().database.reading_few() as session:
        epoch = read_epoch(session)
    document = {
        "name": settings.exchange.name,
        "version": version(),
        "currency": settings.exchange.currency,
        "epoch": epoch,
        "live_url": live_url(settings.live, present().environ.get("HTTP_HOST", "")),
        "signup": bool(settings.identity.signup),
        "signup_cash": settings.identity.signup_cash,
        "username_rule": USERNAME_RULE,
        "password_rule": PASSWORD_RULE,
        "features": list(_features()),
    }
    return answer(document)


def live_url(live: Live, host: str) -> str:
    """Where a client that reached this process as `host` finds the streams: as is said, else beside it."""
    if live.url:
        return live.url
    name = live.host
    if name in EVERYWHERE:
        name = host.rsplit(":", 1)[0].strip("[]") if not host.endswith("]") else host.strip("[]")
    return server_url("http", name or "127.0.0.1", live.port)


def _features() -> list[str]:
    settings = components().settings
    found = ["candles", "fees", "preview", "tickers"]
    found += ["webhooks"] if settings.webhooks.enabled else []
    found += ["debug"] if settings.exchange.debug else []
    return found + (["public_market_data"] if settings.web.public_market_data else [])
