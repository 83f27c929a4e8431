"""Register brokers."""

from dataclasses import asdict
from typing import Any

from flask import Response

from api.answers import answer
from api.auth import Access
from api.desk import desk
from api.resource import Resource
from api.schemas.accounts import NewBrokerSchema, RegisteredSchema
from services.register import register_broker

blueprint = Resource("brokers", __name__, url_prefix="/api/v1", description="Members of the exchange.")


@blueprint.open_to(Access.ADMIN, "/register", "POST")
@blueprint.arguments(NewBrokerSchema)
@blueprint.response(201, RegisteredSchema)
def register(broker: dict[str, Any]) -> Response:
    """Register a broker

    The API key and the webhook secret are shown in this answer and never again.
    """
    with desk().database.writing() as session:
        registered = register_broker(session, **broker)
    return answer(asdict(registered), 201)
