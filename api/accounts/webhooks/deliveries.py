"""What a broker's receiver was told, and telling it again."""

import logging
from typing import Any

from sqlalchemy.orm import Session

from api.access.acts import act
from api.access.auth import broker_id, refuse_suspended, who
from api.access.resource import Resource
from api.access.rights import Access
from api.accounts.webhooks.schemas import (
    DeliveryPageSchema,
    DeliveryQuerySchema,
    DeliverySchema,
    TestDeliverySchema,
)
from api.components import components
from api.http.answers import Answer, answer
from api.http.paging import LARGEST, page, position_in
from services.webhooks.read_deliveries import add_test, read_deliveries, read_delivery, retry

log = logging.getLogger(__name__)

blueprint = Resource("deliveries", __name__, url_prefix="/api/v1", description="What one's receiver was told.")

DELIVERY = "/webhook/deliveries/<delivery_id:delivery_id>"


def _own_delivery(delivery_id: int) -> None:
    with components().database.looking() as session:
        read_delivery(session, broker_id(), delivery_id)


@blueprint.open_to(Access.READ, "/webhook/deliveries")
@blueprint.arguments(DeliveryQuerySchema, location="query")
@blueprint.response(200, DeliveryPageSchema)
def list_deliveries(query: dict[str, Any]) -> Answer:
    """What one's receiver was told, newest first, with each attempt"""
    position = position_in(query["cursor"], 1)
    before = position[0] if position else LARGEST
    with components().database.reading() as session:
        found = list(read_deliveries(session, broker_id(), before, query["limit"] + 1, query["status"]))
    return page(found, query["limit"], lambda delivery: [delivery["delivery_id"]])


@blueprint.open_to(Access.READ, DELIVERY)
@blueprint.response(200, DeliverySchema)
def get_delivery(delivery_id: int) -> Answer:
    """One delivery, with its attempts"""
    with components().database.reading() as session:
        return answer(read_delivery(session, broker_id(), delivery_id))


@blueprint.open_to(Access.KEYS, f"{DELIVERY}/retry", "POST", of=_own_delivery)
@blueprint.response(202, DeliverySchema)
def retry_delivery(delivery_id: int) -> Answer:
    """Send a delivery as soon as can be

    Also one that has failed for good, and one that was delivered: it is sent once more, with the same `webhook-id`. A
    test is not sent again.
    """
    refuse_suspended()
    own = broker_id()

    def work(session: Session) -> dict[str, Any]:
        found = retry(session, own, delivery_id)
        act(session, "webhook.retry", f"delivery:{delivery_id}")
        return found

    found = components().database.run(work)
    components().webhook_wakeups.wake([own])
    log.info("delivery %d is sent again as %s wants", delivery_id, who())
    return answer(found, 202)


@blueprint.open_to(Access.KEYS, "/webhook/test", "POST")
@blueprint.response(202, TestDeliverySchema)
def test_webhook() -> Answer:
    """Send a test

    It is sent once, whatever is waiting and also while the hook is off, and counts for nothing. What came of it is
    among the deliveries.
    """
    refuse_suspended()
    own = broker_id()
    delivery_id = components().database.run(lambda session: add_test(session, own))
    components().webhook_wakeups.wake([own])
    return answer({"delivery_id": delivery_id}, 202)
