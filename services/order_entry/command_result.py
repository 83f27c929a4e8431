"""What became of a command that was put into the inbox."""

from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import text

from database.statements import Statements
from engine.terms.codes import MESSAGES, UNKNOWN_ORDER

OUTCOME = text("""
    SELECT c.sequence, c.refused, o.id IS NOT NULL AND o.closed_at IS NULL AS order_is_open
    FROM commands c LEFT JOIN orders o ON o.id = c.order_id WHERE c.id = :command_id
""")


@dataclass(frozen=True, slots=True)
class CommandResult:
    """A command that the worker has taken; `refused` is the code of why it had no effect, None if it had."""

    sequence: int
    refused: str | None
    order_is_open: bool
    """True if it concerns an order that can still trade."""

    @classmethod
    def told(cls, found: Any) -> Self | None:
        """What the worker said of a command, as it comes from JSON; None where that is something else."""
        match found:
            case {"sequence": int(sequence), "refused": str() | None as refused, "order_is_open": bool(is_open)}:
                return cls(sequence, refused, is_open)
        return None

    @property
    def order_was_closed(self) -> bool:
        """True if it came too late: the order was filled, cancelled or expired before."""
        return self.refused == UNKNOWN_ORDER

    @property
    def reason(self) -> str:
        """Why it was refused, for people."""
        return MESSAGES.get(self.refused or "", "It could not be carried out.")


def command_result(session: Statements, command_id: int) -> CommandResult | None:
    """The result of the command; None while it waits in the inbox."""
    row = session.execute(OUTCOME, {"command_id": command_id}).one_or_none()
    return None if row is None or row.sequence is None else CommandResult(row.sequence, row.refused, row.order_is_open)
