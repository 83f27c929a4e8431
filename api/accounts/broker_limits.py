"""Brokers, as administrators see them, and their limits."""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy.orm import Session

from api.access.acts import act
from api.access.auth import who
from api.access.resource import Resource
from api.access.rights import Access
from api.accounts.account_schemas import BrokerChangeSchema, BrokerPageSchema, BrokerSchema
from api.accounts.brokers import BROKER
from api.components import components
from api.http.answers import Answer, answer
from api.http.paging import LARGEST, PageQuerySchema, page, position_in
from api.http.problems import InvalidRequest
from services.identity.brokers import change_broker, read_broker, read_brokers

log = logging.getLogger(__name__)

blueprint = Resource("broker limits", __name__, url_prefix="/api/v1", description="Brokers, for the exchange's people.")


@blueprint.open_to(Access.OPERATOR, "/brokers")
@blueprint.arguments(PageQuerySchema, location="query")
@blueprint.response(200, BrokerPageSchema)
def list_brokers(query: dict[str, Any]) -> Answer:
    """List brokers, newest first"""
    position = position_in(query["cursor"], 1)
    before = position[0] if position else LARGEST
    with components().database.reading() as session:
        brokers = read_brokers(session, before, query["limit"] + 1, components().settings.fees)
    return page(brokers, query["limit"], lambda broker: [broker["broker_id"]])


@blueprint.open_to(Access.OPERATOR, BROKER)
@blueprint.response(200, BrokerSchema)
def get_broker(broker_id: int) -> Answer:
    """One broker"""
    return answer(_broker(broker_id))


def _broker(broker_id: int) -> dict[str, Any]:
    with components().database.reading() as session:
        return read_broker(session, broker_id, components().settings.fees)


@blueprint.open_to(Access.ADMIN, BROKER, "PUT")
@blueprint.arguments(BrokerChangeSchema, of=_broker)
@blueprint.response(200, BrokerSchema)
def change_broker_limits(wanted: dict[str, Any], broker_id: int) -> Answer:
    """Give a broker another name or other limits

    A limit that would not hold what is owed, or sold short, now is refused with `limit_in_use`.
    """
    if not wanted:
        raise InvalidRequest("Nothing is to be another way: give name, credit_limit or short_limit.")

    def work(session: Session) -> dict[str, Any]:
        before, after = change_broker(session, broker_id, wanted, components().settings.fees)
        act(session, "broker.change", f"broker:{broker_id}", before=before, after=after)
        return after

    changed = components().database.run(work)
    components().keys.forget()
    components().sessions.forget()
    log.warning("broker %d has another %s by %s", broker_id, ", ".join(sorted(wanted)), who())
    return answer(changed)
