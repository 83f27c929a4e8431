"""For sandboxes and tests; everywhere else there is nothing here."""

import logging

from marshmallow import Schema, fields
from werkzeug.exceptions import NotFound

from api.access.acts import act
from api.access.auth import who
from api.access.resource import Resource
from api.access.rights import Access
from api.components import components
from api.http.answers import Answer, answer
from services.operations.reset import NoSandbox, reset_exchange, trade_count

log = logging.getLogger(__name__)

blueprint = Resource("debug", __name__, url_prefix="/api/v1/debug", description="Only where `debug = true`.")


class TradeCountSchema(Schema):
    """How many trades there have been."""

    trade_count = fields.Integer(required=True)


@blueprint.open_to(Access.DEBUG, "/trade-count")
@blueprint.response(200, TradeCountSchema)
def get_trade_count() -> Answer:
    """The number of trades since the beginning or the last reset"""
    with components().database.reading() as session:
        return answer({"trade_count": trade_count(session)})


@blueprint.open_to(Access.DEBUG, "/reset", "POST")
@blueprint.response(204)
def reset() -> Answer:
    """Begin again

    Orders and trades are removed, balances are again what was brought in. Brokers keep their keys.
    """
    try:
        with components().database.writing() as session:
            reset_exchange(session)
            act(session, "exchange.reset", "exchange")
    except NoSandbox as error:
        log.warning("no reset: the database was not made a sandbox; run `minex migrate` where debug = true")
        raise NotFound from error
    log.warning("the exchange was reset by %s", who())
    return Answer(204)
