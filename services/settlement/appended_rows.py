"""What a turn adds for good: the commands' places in the journal, trades, transfers, and the public tape."""

from collections.abc import Sequence
from operator import attrgetter, itemgetter
from typing import Any

import orjson

from database.columns import literals, names, number, quoted, unnest, word
from database.pipeline import Pipeline
from services.settlement.ledger import Ledger, broker_of, order_id_of
from services.settlement.turn_outcome import TurnOutcome

COMMANDS = (
    number("id", attrgetter("id")),
    number("sequence", attrgetter("sequence")),
    word("sequenced_at", attrgetter("sequenced_at"), "timestamptz"),
    word("refused", attrgetter("refused")),
    quoted("error", attrgetter("error")),
)

TAKE_COMMANDS = f"""
    UPDATE commands c SET sequence = t.sequence, sequenced_at = t.sequenced_at, refused = t.refused, error = t.error
    FROM {unnest(COMMANDS)}
    WHERE c.id = t.id
"""  # noqa: S608 - names of this file

TRADE_ID = number("trade_id", lambda trade_id: trade_id)

TRADES = (
    number("stock_id", attrgetter("stock_id")),
    number("sequence", attrgetter("sequence")),
    number("command_sequence", attrgetter("command_sequence")),
    number("price", attrgetter("price")),
    number("quantity", attrgetter("quantity")),
    number("reference_price", attrgetter("reference_price")),
    word("aggressor_side", attrgetter("aggressor_side")),
    word("executed_at", attrgetter("executed_at"), "timestamptz"),
    number("buy_order_id", lambda execution: order_id_of(execution.bid)),
    number("sell_order_id", lambda execution: order_id_of(execution.ask)),
    number("buyer_id", lambda execution: broker_of(execution.bid)),
    number("seller_id", lambda execution: broker_of(execution.ask)),
    word("is_auction", lambda execution: "true" if execution.is_auction else "false", "boolean"),
)

INSERT_TRADES = f"""
    INSERT INTO trades (id, {names(TRADES)}) SELECT * FROM {unnest((TRADE_ID, *TRADES))}
"""  # noqa: S608 - names of this file

TRANSFERS = (  # of a Movement, in its order
    word("kind", itemgetter(0)),
    number("asset_id", itemgetter(1)),
    number("amount", itemgetter(2)),
    number("from_broker", itemgetter(3)),
    word("from_bucket", itemgetter(4)),
    number("to_broker", itemgetter(5)),
    word("to_bucket", itemgetter(6)),
    number("order_id", itemgetter(7)),
)

INSERT_TRANSFERS = f"""
    INSERT INTO transfers ({names((*TRANSFERS, TRADE_ID))}) SELECT * FROM {unnest((*TRANSFERS, TRADE_ID))}
"""  # noqa: S608 - names of this file

EVENTS = (
    number("stock_id", itemgetter("stock_id")),
    number("sequence", itemgetter("sequence")),
    word("kind", itemgetter("kind")),
    quoted("payload", lambda event: orjson.dumps(event["payload"]).decode(), "json"),
)

INSERT_EVENTS = f"INSERT INTO events ({names(EVENTS)}) SELECT * FROM {unnest(EVENTS)}"  # noqa: S608


def take_commands(sent: Pipeline, outcome: TurnOutcome) -> None:
    """Give each command its sequence: from here on the journal says what happened."""
    sent.send(TAKE_COMMANDS, *literals(COMMANDS, outcome.commands))


def insert_trades(sent: Pipeline, outcome: TurnOutcome, trade_ids: Sequence[int]) -> None:
    """Store the trades with these ids."""
    if outcome.executions:
        sent.send(INSERT_TRADES, *literals((TRADE_ID,), trade_ids), *literals(TRADES, outcome.executions))


def insert_transfers(sent: Pipeline, ledger: Ledger, trade_ids: Sequence[int]) -> None:
    """Store the movements, each with the id of the trade that it belongs to."""
    movements = ledger.movements
    if not movements:
        return
    trades = [None if movement.trade_index is None else trade_ids[movement.trade_index] for movement in movements]
    sent.send(INSERT_TRANSFERS, *literals(TRANSFERS, movements), *literals((TRADE_ID,), trades))


def insert_events(sent: Pipeline, events: Sequence[dict[str, Any]]) -> None:
    """Append to the stocks' tapes."""
    if events:
        sent.send(INSERT_EVENTS, *literals(EVENTS, events))
