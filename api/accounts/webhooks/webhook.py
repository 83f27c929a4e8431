"""A broker's own webhook: where it is told of its trades."""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from api.access.acts import act
from api.access.auth import broker_id, refuse_suspended, who
from api.access.resource import Resource
from api.access.rights import Access
from api.accounts.webhooks.schemas import (
    NewWebhookSchema,
    SecretRotationSchema,
    SetWebhookSchema,
    WebhookSchema,
    WebhookSecretSchema,
)
from api.components import components
from api.http.answers import Answer, answer
from api.http.problems import InvalidRequest
from services.webhooks.subscriptions import delete_webhook, read_webhook, rotate_secret, set_webhook
from services.webhooks.urls import refused_address

log = logging.getLogger(__name__)

blueprint = Resource("webhook", __name__, url_prefix="/api/v1", description="Being told of one's trades.")


@blueprint.open_to(Access.KEYS, "/webhook", "PUT")
@blueprint.arguments(NewWebhookSchema)
@blueprint.response(200, SetWebhookSchema)
def put_webhook(wanted: dict[str, Any]) -> Answer:
    """Say where one wants to be told of one's trades, and of what

    The secret with which that is signed is shown when there was none, and never again. What has been waiting for
    another url goes to this one. Deliveries go to public addresses only, unless the exchange allows others.
    """
    refuse_suspended()
    settings, own = components().settings, broker_id()
    ports = (settings.web.port, settings.live.port)
    if why := refused_address(wanted["url"], ports, allow_private=settings.webhooks.allow_private):
        raise InvalidRequest(errors={"url": [why]})

    def work(session: Session) -> dict[str, Any]:
        secret = set_webhook(session, own, wanted["url"], wanted["events"], enabled=wanted["enabled"])
        act(session, "webhook.set", f"broker:{own}", after=wanted)
        return {**read_webhook(session, own), "secret": secret}

    found = components().database.run(work)
    components().webhook_wakeups.wake([own])
    log.info("the webhook of broker %d was set by %s", own, who())
    return answer(found)


@blueprint.open_to(Access.READ, "/webhook")
@blueprint.response(200, WebhookSchema)
def get_webhook() -> Answer:
    """Where one is told, and how the receiver fares

    `url` is null where there is no hook. `state` is failing while there is no good answer; what waits goes out when
    there is one, in its order.
    """
    with components().database.reading() as session:
        return answer(read_webhook(session, broker_id()))


@blueprint.open_to(Access.KEYS, "/webhook", "DELETE")
@blueprint.response(204)
def remove_webhook() -> Answer:
    """Be told no more

    What waits is kept, and goes to the next url that is set. The secret is gone.
    """
    own = broker_id()

    def work(session: Session) -> None:
        if delete_webhook(session, own):
            act(session, "webhook.delete", f"broker:{own}")

    components().database.run(work)
    log.info("the webhook of broker %d was deleted by %s", own, who())
    return Answer(204)


@blueprint.open_to(Access.KEYS, "/webhook/rotate-secret", "POST")
@blueprint.arguments(SecretRotationSchema)
@blueprint.response(200, WebhookSecretSchema)
def rotate_webhook_secret(rotation: dict[str, Any]) -> Answer:
    """Replace the secret

    The new one is shown in this answer and never again. For `overlap_seconds` deliveries are signed with both, so that
    the receiver can change in between.
    """
    refuse_suspended()
    own, now = broker_id(), datetime.now(UTC)
    overlap = timedelta(seconds=rotation["overlap_seconds"])

    def work(session: Session) -> str:
        secret = rotate_secret(session, own, overlap, now)
        act(session, "webhook.rotate_secret", f"broker:{own}", after=rotation)
        return secret

    secret = components().database.run(work)
    log.info("the secret of broker %d's webhook was replaced by %s", own, who())
    return answer({"secret": secret})
