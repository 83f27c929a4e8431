"""Register brokers, suspend them and let them in again."""

import logging
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from api.access.acts import act
from api.access.auth import who
from api.access.resource import Resource
from api.access.rights import Access
from api.accounts.account_schemas import NewBrokerSchema, RegisteredSchema, StandingSchema
from api.accounts.key_schemas import NewBrokersKeySchema
from api.components import components
from api.http.answers import Answer, answer
from services.identity.own_keys import replace_all_keys, without_secret
from services.identity.register import register_broker
from services.identity.suspension import SUSPENDED, activate, suspend

log = logging.getLogger(__name__)

blueprint = Resource("brokers", __name__, url_prefix="/api/v1", description="Members of the exchange.")

BROKER = "/brokers/<broker_id:broker_id>"


@blueprint.open_to(Access.ADMIN, "/register", "POST")
@blueprint.arguments(NewBrokerSchema)
@blueprint.response(201, RegisteredSchema)
def register(broker: dict[str, Any]) -> Answer:
    """Register a broker

    The API key and the webhook secret are shown in this answer and never again.
    """
    with components().database.writing() as session:
        registered = register_broker(session, **broker)
        act(session, "broker.register", f"broker:{registered.broker_id}", after=broker)
    log.info("broker %d was registered by %s", registered.broker_id, who())
    return answer(asdict(registered), 201)


@blueprint.open_to(Access.ADMIN, f"{BROKER}/rotate-key", "POST")
@blueprint.response(200, NewBrokersKeySchema)
def rotate_brokers_key(broker_id: int) -> Answer:
    """End all keys of a broker, and make it a new one

    For a broker that has lost its keys, or lost them to somebody. The new key may do everything; it is shown in this
    answer and never again.
    """
    now = datetime.now(UTC)

    def work(session: Session) -> dict[str, Any]:
        made = replace_all_keys(session, broker_id, now)
        act(session, "broker.rotate_key", f"broker:{broker_id}", after=without_secret(made))
        return made

    made = components().database.run(work)
    components().keys.forget()
    log.warning("all keys of broker %d were replaced by %s by %s", broker_id, made["prefix"], who())
    return answer({"broker_id": broker_id, **made})


@blueprint.open_to(Access.ADMIN, f"{BROKER}/suspend", "POST")
@blueprint.response(200, StandingSchema)
def suspend_broker(broker_id: int) -> Answer:
    """Suspend a broker and cancel all its orders

    A kill switch: from this answer on nothing it sends is accepted, until it is activated again. It may still look,
    and cancel.
    """
    with components().database.writing() as session:
        before, asked = suspend(session, broker_id)
        act(session, "broker.suspend", f"broker:{broker_id}", before={"status": before}, after={"status": SUSPENDED})
    log.warning("broker %d was suspended by %s, %d orders are cancelled", broker_id, who(), len(asked.commands))
    components().keys.forget()
    components().intake.wake(asked.stocks)
    return answer({"broker_id": broker_id, "status": SUSPENDED, "cancelling": len(asked.commands)})


@blueprint.open_to(Access.ADMIN, f"{BROKER}/activate", "POST")
@blueprint.response(200, StandingSchema)
def activate_broker(broker_id: int) -> Answer:
    """Let a suspended broker trade again

    One that owes to the guarantee account may then only close what it has.
    """
    with components().database.writing() as session:
        before, status = activate(session, broker_id)
        act(session, "broker.activate", f"broker:{broker_id}", before={"status": before}, after={"status": status})
    log.info("broker %d was let in again by %s", broker_id, who())
    components().keys.forget()
    return answer({"broker_id": broker_id, "status": status, "cancelling": 0})
