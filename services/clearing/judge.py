"""Judge what is new on the tapes by the rules: each trade once, whoever does it, and however it is broken off.

How far a tape was judged is locked, read, and moved on in the transaction that writes down what was found and asks for
busts. So several may work at once, and one that dies has judged nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

import orjson
from sqlalchemy import text

from database.columns import named_literals, number, quoted, unnest_named, word
from database.statements import Statements
from services.clearing.errors import AlreadyBusted
from services.clearing.requests import Asker, ask
from services.clearing.rules import judge
from services.clearing.rules.rule import Broken, JudgedTrade
from settings.clearing import BUST, OFF, Clearing

MOST_OF_A_TAPE: Final = 1_000
"""Events of a tape that are judged in one step."""

BEGIN: Final = text("""
    INSERT INTO judged_stocks (stock_id, sequence, state)
    SELECT id, 0, 'open' FROM stocks s
    WHERE NOT EXISTS (SELECT FROM judged_stocks j WHERE j.stock_id = s.id) ON CONFLICT DO NOTHING
""")

TAKE: Final = text("""
    SELECT j.stock_id, j.sequence AS after, least(s.event_sequence, j.sequence + :most) AS until, j.state
    FROM judged_stocks j JOIN stocks s ON s.id = j.stock_id
    WHERE s.event_sequence > j.sequence ORDER BY j.stock_id FOR UPDATE OF j SKIP LOCKED
""")

BEHIND: Final = text("""
    SELECT EXISTS (
        SELECT FROM stocks s LEFT JOIN judged_stocks j ON j.stock_id = s.id
        WHERE s.event_sequence > coalesce(j.sequence, 0)
    )
""")

PIECES: Final = (
    number("stock_id", attrgetter("stock_id")),
    number("after", attrgetter("after")),
    number("until", attrgetter("until")),
)


def _in_a_second(side: str) -> str:
    """How many trades a party had within a second, this one included; no more than one over the limit are counted."""
    return f"""(
        SELECT count(*) FROM (
            SELECT f.happened_at FROM account_events f
            WHERE f.broker_id = t.{side}_id AND f.trade_id IS NOT NULL AND f.sequence <= (
                SELECT m.sequence FROM account_events m
                WHERE m.order_id = t.{"buy" if side == "buyer" else "sell"}_order_id AND m.trade_id = t.id
                    AND m.broker_id = t.{side}_id LIMIT 1
            )
            ORDER BY f.sequence DESC LIMIT :counted
        ) AS latest WHERE latest.happened_at > t.executed_at - interval '1 second'
    ) AS {side}_trades"""  # noqa: S608 - names of ours


EVENTS: Final = text(f"""
    SELECT e.stock_id, e.kind, e.payload ->> 'state' AS new_state, t.id, t.price, t.quantity, t.reference_price,
        t.is_auction, b.document_number AS buyer_document, a.document_number AS seller_document,
        {_in_a_second("buyer")}, {_in_a_second("seller")}
    FROM {unnest_named(PIECES, "p")}
    JOIN events e ON e.stock_id = p.stock_id AND e.sequence > p.after AND e.sequence <= p.until
        AND e.kind IN ('TRADE_EXECUTED', 'STOCK_STATE')
    LEFT JOIN trades t ON t.stock_id = e.stock_id AND t.sequence = e.sequence
    LEFT JOIN orders b ON b.id = t.buy_order_id LEFT JOIN orders a ON a.id = t.sell_order_id
    ORDER BY e.stock_id, e.sequence
""")  # noqa: S608 - names of ours

VERDICTS: Final = (
    number("trade_id", lambda found: found[0].trade.id),
    number("stock_id", lambda found: found[0].stock_id),
    word("rule", lambda found: found[1][0].rule),
    quoted("broken", lambda found: _figures(found[1]), "json"),
)
ADD: Final = text(f"""
    INSERT INTO verdicts (trade_id, stock_id, rule, broken)
    SELECT trade_id, stock_id, rule, broken FROM {unnest_named(VERDICTS)} ON CONFLICT DO NOTHING
""")  # noqa: S608 - names of ours

DONE: Final = (
    number("stock_id", lambda item: item[0].stock_id),
    number("sequence", lambda item: item[0].until),
    word("state", lambda item: item[1]),
)
MOVE_ON: Final = text(f"""
    UPDATE judged_stocks j SET sequence = t.sequence, state = t.state
    FROM {unnest_named(DONE)} WHERE j.stock_id = t.stock_id
""")  # noqa: S608 - names of ours


@dataclass(frozen=True, slots=True)
class OnTape:
    """A trade, and the stock on whose tape it is."""

    stock_id: int
    trade: JudgedTrade


@dataclass(slots=True)
class Judged:
    """One step: the trades that were judged and flagged, and the stocks (symbol, group) with busts in their inboxes."""

    trades: int = 0
    flagged: int = 0
    stocks: Sequence[tuple[str, str]] = ()
    more: bool = False
    """True if a tape has more than one step takes."""


def is_behind(session: Statements) -> bool:
    """True if there is something on a tape that was not judged."""
    return bool(session.scalar(BEHIND))


def judge_tapes(session: Statements, terms: Clearing) -> Judged:
    """Judge what is new on all tapes that nobody else is judging, at most MOST_OF_A_TAPE events of each."""
    session.execute(BEGIN)
    pieces = list(session.execute(TAKE, {"most": MOST_OF_A_TAPE}))
    if not pieces:
        return Judged()
    states = {piece.stock_id: piece.state for piece in pieces}
    counted = 0 if terms.burst == OFF else terms.trades_per_second + 1
    rows = session.execute(EVENTS, {**named_literals(PIECES, pieces), "counted": counted})
    on_tape = {each.trade.id: each for each in _trades(rows, states)}
    found = [(on_tape[trade.id], broken) for trade, broken in judge((each.trade for each in on_tape.values()), terms)]
    if found:
        session.execute(ADD, named_literals(VERDICTS, found))
    stocks = _ask_for_busts(session, found)
    moved = [(piece, states[piece.stock_id]) for piece in pieces]
    session.execute(MOVE_ON, named_literals(DONE, moved))
    more = any(piece.until - piece.after == MOST_OF_A_TAPE for piece in pieces)
    return Judged(len(on_tape), len(found), stocks, more)


def _trades(rows: Any, states: dict[int, str]) -> Iterator[OnTape]:
    """The trades, each with the state that its stock was in; `states` are moved on."""
    for row in rows:
        if row.kind == "STOCK_STATE":
            states[row.stock_id] = row.new_state
        elif row.id is not None:
            yield OnTape(
                row.stock_id,
                JudgedTrade(
                    row.id,
                    row.price,
                    row.quantity,
                    row.reference_price,
                    row.is_auction,
                    row.buyer_document or "",
                    row.seller_document or "",
                    row.buyer_trades,
                    row.seller_trades,
                    states[row.stock_id],
                ),
            )


def _ask_for_busts(session: Statements, found: Sequence[tuple[OnTape, Sequence[Broken]]]) -> list[tuple[str, str]]:
    """Put a bust into the inbox for each trade that breaks a rule which busts, unless a person was quicker."""
    stocks: dict[tuple[str, str], None] = {}
    for each, (first, *_) in found:
        if first.action != BUST:
            continue
        asker = Asker(f"rule {first.rule}", rule=first.rule)
        try:
            queued = ask(session, each.trade.id, f"It breaks the rule {first.rule}.", asker)
        except AlreadyBusted:
            continue
        stocks[queued.symbol, queued.group_name] = None
    return list(stocks)


def _figures(broken: Sequence[Broken]) -> str:
    return orjson.dumps([{"rule": each.rule, "action": each.action, **each.figures} for each in broken]).decode()
