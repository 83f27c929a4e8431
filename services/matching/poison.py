"""A command that breaks even a turn of its own is refused by what the tables say of it.

Its payload is not asked: that may be what cannot be read.
"""

import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from database.statements import Statements
from engine.terms.commands import Amend, Cancel, Close, Command, New
from models.command import BRINGING
from services.matching.books import ORDER, order_of

PENDING_ORDER = text(f"{ORDER} WHERE id = :id AND stock_id = :stock_id AND status = 'pending'")

LONGEST_REPORT = 20_000
"""Characters of a report that are stored."""


class BrokenTurn(Exception):
    """A turn could not be matched or settled; `command_ids` are the commands that it had taken, of these `symbols`."""

    def __init__(self, command_ids: Sequence[int], symbols: Sequence[str]) -> None:
        super().__init__(f"{len(command_ids)} commands could not be matched and settled")
        self.command_ids = command_ids
        self.symbols = symbols


@dataclass(frozen=True, slots=True)
class PoisonCommand:
    """The one command that breaks even a turn of its own, and how."""

    command_id: int
    error: BaseException

    def report(self) -> str:
        """The traceback, to be stored; without characters that PostgreSQL cannot store as text."""
        trace = "".join(traceback.format_exception(self.error))
        printable = trace.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
        return printable[-LONGEST_REPORT:]


def command_to_refuse(session: Statements, row: Any) -> Command:
    """The command to refuse for the inbox's `row`: a new one with the order as `orders` has it.

    Of any other command nothing but its kind counts.
    """
    if row.kind == "amend":
        return Amend(row.order_id)
    if row.kind in BRINGING:
        order = session.execute(PENDING_ORDER, {"id": row.order_id, "stock_id": row.stock_id}).one_or_none()
        if order is not None:
            return New(order_of(order)) if row.kind == "new" else Close(order_of(order))
    return Cancel(row.order_id)
