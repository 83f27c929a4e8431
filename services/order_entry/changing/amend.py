"""Ask for amendments, and set aside what they may need beyond what their orders already have."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text

from database.statements import Statements
from services.errors import BrokerCloseOnly, MarketError, kept
from services.order_entry.changing.amendments import Amendment, Checked, amendable, checks_of
from services.order_entry.requests import QueuedCommand
from services.order_entry.reserve import ACCEPTED, LOCKED, PAID, recording
from services.stocks.listing import rules_by_id
from settings.sections import Market

LOCK = text("SELECT * FROM orders WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")
"""The rows stay locked to the commit: what is set aside is computed from what the worker last stored."""

WAITING = text("SELECT order_id FROM commands WHERE order_id = ANY(:ids) AND sequence IS NULL AND kind = 'amend'")
"""To be asked with the orders locked: then none can be added, and what the worker is taking just now still shows."""

DEBTORS = text("SELECT id FROM brokers WHERE id = ANY(:ids) AND status = 'close_only'")

AMEND = text(f"""
    WITH fresh AS MATERIALIZED (
        SELECT *, nextval('commands_id_seq') AS command_id
        FROM ROWS FROM (json_to_recordset(CAST(:document AS json)) AS (
            order_id bigint, stock_id bigint, broker_id bigint, asset_id bigint, amount bigint, payload json,
            reply_to text
        )) WITH ORDINALITY AS w (order_id, stock_id, broker_id, asset_id, amount, payload, reply_to, n)
    ), share AS (SELECT n, broker_id, asset_id, amount, 0 AS orders FROM fresh WHERE amount > 0),
    {LOCKED}, {PAID}, granted AS (SELECT n FROM paid), {ACCEPTED}, inbox AS (
        INSERT INTO commands (id, stock_id, kind, order_id, broker_id, payload, reserved, reply_to)
        SELECT command_id, stock_id, 'amend', order_id, broker_id, payload, amount, reply_to FROM accepted ORDER BY n
    ), {recording("accepted", "order_id")}
    SELECT n, command_id FROM accepted
""")  # noqa: S608 - all parts are ours


def amend_orders(
    session: Statements,
    requests: Sequence[Amendment],
    market: Market,
    now: datetime,
    refuse: Callable[[str], MarketError | None] = lambda group: None,
) -> list[QueuedCommand | MarketError]:
    """Put amendments into the inbox; one answer each, in the same order: the order as it stood before, or a refusal.

    A refusal leaves its order as it was: it is one of `services.order_entry.changing.amendments`, or what `refuse` has
    against the order's group. Nothing is durable before the caller's commit.
    """
    ids = {"ids": sorted({request.order_id for request in requests})}
    orders = {row.id: row for row in session.execute(LOCK, ids)}
    being_amended = set(session.scalars(WAITING, ids))
    stocks = rules_by_id(session, {order.stock_id for order in orders.values()})
    answers: dict[int, QueuedCommand | MarketError] = {}
    checked: dict[int, Checked] = {}
    for n, request in enumerate(requests):
        try:
            order = amendable(orders.get(request.order_id), request, being_amended)
            stock = stocks[order.stock_id]
            if refusal := refuse(stock.group_name):
                raise refusal
            for check in checks_of(order, stock, request, market, now):
                check()
            checked[n] = Checked.of(order, stock, request, market)
            being_amended.add(order.id)
        except MarketError as error:
            answers[n] = kept(error)
    answers |= _store(session, checked)
    tight = {
        n: replace(amendment, extra=amendment.needed)
        for n, amendment in checked.items()
        if _is_tight(answers[n], amendment)
    }
    answers |= _store(session, tight)
    answers |= _of_debtors(session, {n: checked[n] for n in checked if isinstance(answers[n], MarketError)})
    return [answers[n] for n in range(len(requests))]


def _store(session: Statements, checked: dict[int, Checked]) -> dict[int, QueuedCommand | MarketError]:
    """An answer for each: what their accounts have is given in order of arrival."""
    if not checked:
        return {}
    places = list(checked)
    document = orjson.dumps(list(map(_row, checked.values()))).decode()
    answers: dict[int, QueuedCommand | MarketError] = {n: amendment.refusal() for n, amendment in checked.items()}
    for row in session.execute(AMEND, {"document": document}):
        n = places[row.n - 1]
        stock = checked[n].stock
        answers[n] = QueuedCommand(checked[n].order.id, stock.id, stock.symbol, stock.group_name, row.command_id)
    return answers


def _of_debtors(session: Statements, refused: dict[int, Checked]) -> dict[int, QueuedCommand | MarketError]:
    """What is said of those that are refused because their brokers may only close what they have."""
    if not refused:
        return {}
    debtors = set(session.scalars(DEBTORS, {"ids": sorted({each.order.broker_id for each in refused.values()})}))
    return {n: BrokerCloseOnly() for n, each in refused.items() if each.order.broker_id in debtors}


def _is_tight(answer: QueuedCommand | MarketError, amendment: Checked) -> bool:
    """True if all that is missing may be that cent."""
    return isinstance(answer, MarketError) and amendment.needed < amendment.extra


def _row(amendment: Checked) -> dict[str, Any]:
    order = amendment.order
    return {
        "order_id": order.id,
        "stock_id": order.stock_id,
        "broker_id": order.broker_id,
        "asset_id": amendment.asset_id,
        "amount": amendment.extra,
        "payload": amendment.payload,
        "reply_to": amendment.reply_to,
    }
