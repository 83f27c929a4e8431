"""What trading costs: one's own fees, and those that an administrator gives a broker."""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy.orm import Session

from api.access.acts import act
from api.access.auth import broker_id, who
from api.access.resource import Resource
from api.access.rights import Access
from api.accounts.account_schemas import FeeChangeSchema, FeesSchema
from api.accounts.brokers import BROKER
from api.components import components
from api.http.answers import Answer, answer
from api.http.problems import InvalidRequest
from services.accounts.fee_terms import change_fees, read_fees

log = logging.getLogger(__name__)

blueprint = Resource("fees", __name__, url_prefix="/api/v1", description="What trading costs.")


@blueprint.open_to(Access.READ, "/fees")
@blueprint.response(200, FeesSchema)
def get_fees() -> Answer:
    """What one's orders pay that come now, and what others pay who trade more

    A fee is rounded up once for a whole order, not for each fill. `volume_30d` is as of the last daily roll.
    """
    with components().database.reading() as session:
        return answer(read_fees(session, broker_id(), components().settings.fees))


def _fees(broker_id: int) -> dict[str, Any]:
    with components().database.reading() as session:
        return read_fees(session, broker_id, components().settings.fees)


@blueprint.open_to(Access.ADMIN, f"{BROKER}/fees", "PUT")
@blueprint.arguments(FeeChangeSchema, of=_fees)
@blueprint.response(200, FeesSchema)
def change_brokers_fees(wanted: dict[str, Any], broker_id: int) -> Answer:
    """Give a broker fees of its own, or with null those of its tier again

    They are those of orders that come from now on; the others keep what they came with.
    """
    if not wanted:
        raise InvalidRequest("Nothing is to be another way: give maker_bps or taker_bps.")

    def work(session: Session) -> dict[str, Any]:
        before, after = change_fees(session, broker_id, wanted, components().settings.fees)
        act(session, "broker.change_fees", f"broker:{broker_id}", before=before, after=after)
        return after

    changed = components().database.run(work)
    components().keys.forget()
    components().sessions.forget()
    log.warning("broker %d pays %d and %d bps by %s", broker_id, changed["maker_bps"], changed["taker_bps"], who())
    return answer(changed)
