"""What comes in and goes out, and the statement of an account."""

from __future__ import annotations

import logging
from typing import Any

from sqlalchemy.orm import Session

from api.access.acts import act
from api.access.auth import broker_id, who
from api.access.resource import Resource
from api.access.rights import Access
from api.accounts.brokers import BROKER
from api.accounts.transfer_schemas import (
    DepositSchema,
    MovedSchema,
    StatementQuerySchema,
    StatementSchema,
    WithdrawalSchema,
)
from api.components import components
from api.http.answers import Answer, answer
from api.http.csv_answers import csv_answer, wants_csv
from api.http.paging import page, position_in
from api.http.problems import InvalidRequest
from services.accounts.deposits import DEPOSIT, WITHDRAWAL
from services.accounts.external_transfers import ExternalRequest, Shares, move_once
from services.accounts.statement import Position, Wanted, begin_statement, read_statement
from serving.present import paced

log = logging.getLogger(__name__)

blueprint = Resource("transfers", __name__, url_prefix="/api/v1", description="In, out, and statements.")

COLUMNS = ("transfer_id", "time", "asset", "kind", "amount", "balance_after", "order_id", "trade_id", "reference")


@blueprint.open_to(Access.ADMIN, f"{BROKER}/deposit", "POST")
@blueprint.arguments(DepositSchema)
@blueprint.response(201, MovedSchema)
@blueprint.alt_response(200, schema=MovedSchema, description="It was done before: the first answer again.")
def deposit_for_broker(wanted: dict[str, Any], broker_id: int) -> Answer:
    """Bring in cash and shares for a broker

    The same `reference` again does nothing and gets the first answer, for ever; with another body it is refused.
    """
    return _moved(DEPOSIT, wanted, broker_id)


@blueprint.open_to(Access.ADMIN, f"{BROKER}/withdraw", "POST")
@blueprint.arguments(WithdrawalSchema)
@blueprint.response(201, MovedSchema)
@blueprint.alt_response(200, schema=MovedSchema, description="It was done before: the first answer again.")
def withdraw_for_broker(wanted: dict[str, Any], broker_id: int) -> Answer:
    """Take out cash and shares of a broker that are available

    Shares take their part of what the position cost along, without profit or loss. References are as for deposits.
    """
    return _moved(WITHDRAWAL, wanted, broker_id)


def _moved(kind: str, wanted: dict[str, Any], broker_id: int) -> Answer:
    positions = {symbol: Shares(**shares) for symbol, shares in wanted["positions"].items()}
    if not wanted["cash"] and not positions:
        raise InvalidRequest("Nothing is to be moved: give cash or positions.")
    request = ExternalRequest(kind, broker_id, wanted["reference"], wanted["cash"], positions)

    def work(session: Session) -> tuple[dict[str, Any], bool]:
        done, is_new = move_once(session, request)
        if is_new:
            act(session, f"broker.{kind}", f"broker:{broker_id}", after=wanted)
        return done, is_new

    done, is_new = components().database.run(work)
    log.info("%s for broker %d by %s%s", kind, broker_id, who(), "" if is_new else ", again: nothing was done")
    return answer(done, 201 if is_new else 200)


@blueprint.open_to(Access.READ, "/transfers")
@blueprint.arguments(StatementQuerySchema, location="query")
@blueprint.response(200, StatementSchema)
def get_statement(query: dict[str, Any]) -> Answer:
    """The statement of one's cash, or of one's shares of a stock, oldest line first

    Each line changed what is held, available and reserved together, so reserving is no line. `opening_balance` and
    `closing_balance` are those of the whole range, on every page. With `Accept: text/csv` the same comes as CSV, and
    the two balances as headers.
    """
    since, until, limit = query["since"], query["until"], query["limit"]
    if since is not None and until is not None and since >= until:
        raise InvalidRequest(errors={"to": ["Must be after from."]})
    wanted = Wanted(broker_id(), query["asset"], query["kind"], since, until)
    cursor = position_in(query["cursor"], 4, 3)
    with components().database.reading() as session:
        begun = _position(cursor) if cursor else begin_statement(session, wanted)
        lines = list(paced(read_statement(session, wanted, begun, limit + 1)))
    positions = [line.pop("position") for line in lines]
    balances = {"opening_balance": begun.opening, "closing_balance": begun.closing}
    found = page(lines, limit, lambda _: _cursor(positions[limit - 1]), **balances)
    if not wants_csv():
        return found
    headers = {"Opening-Balance": str(begun.opening), "Closing-Balance": str(begun.closing), **found.headers}
    return csv_answer(COLUMNS, lines[:limit], headers)


def _cursor(position: Position) -> list[int | str]:
    numbers = [position.place, position.external, position.top, position.top_external]
    return [*numbers, str(position.balance), str(position.opening), str(position.closing)]


def _position(cursor: list[Any]) -> Position:
    """As `_cursor` wrote it. Raises InvalidRequest."""
    try:
        return Position(*cursor[:4], *(int(balance) for balance in cursor[4:]))
    except ValueError as error:
        raise InvalidRequest(errors={"cursor": ["Must be the next_cursor of an earlier page."]}) from error
