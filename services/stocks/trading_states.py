"""Ask for another trading state, or for the end of an auction: commands, like orders, that the book carries out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import text

from database.statements import Statements
from services.stocks.listing import unknown_stock

STATE: Final = "state"
UNCROSS: Final = "uncross"
ROLL: Final = "roll"

ASK = text("""
    INSERT INTO commands (stock_id, kind, payload, reply_to)
    SELECT id, :kind, CAST(:payload AS json), :reply_to FROM stocks WHERE symbol = :symbol
    RETURNING id
""")


@dataclass(frozen=True, slots=True)
class StateRequest:
    """A request: another `state` for a `reason`, or to `uncross`, or to `roll` the day; `by` whom.

    `only_from` names the states that it may end; None is any.
    """

    kind: str
    state: str | None = None
    reason: str | None = None
    by: str | None = None
    only_from: Sequence[str] | None = None

    def payload(self) -> str:
        """The payload of its command in the journal."""
        values: dict[str, Any] = {"by": self.by} if self.by else {}
        if self.kind == STATE:
            values |= {"state": self.state, "reason": self.reason}
        if self.only_from is not None:
            values["only_from"] = list(self.only_from)
        return orjson.dumps(values).decode()


def ask_for(session: Statements, symbol: str, change: StateRequest, reply_to: str | None = None) -> int:
    """Put the change into the inbox of a stock; the command's id. Raises UnknownStock."""
    values = {"symbol": symbol, "kind": change.kind, "payload": change.payload(), "reply_to": reply_to}
    command_id = session.scalar(ASK, values)
    if command_id is None:
        raise unknown_stock(symbol)
    return int(command_id)
