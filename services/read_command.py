"""What became of a command that was put into the inbox."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from engine.codes import MESSAGES, UNKNOWN_ORDER

LAST_COMMAND = text("SELECT currval('commands_id_seq')")

OUTCOME = text("SELECT sequence, refused FROM commands WHERE id = :command_id")


@dataclass(frozen=True, slots=True)
class Settled:
    """A command that the worker has taken; `refused` is the code of why it had no effect, None if it had."""

    sequence: int
    refused: str | None

    @property
    def order_was_closed(self) -> bool:
        """Whether it came too late: the order was filled, cancelled or expired before."""
        return self.refused == UNKNOWN_ORDER

    @property
    def reason(self) -> str:
        """Why it was refused, for people."""
        return MESSAGES.get(self.refused or "", "It could not be carried out.")


def last_command(session: Session) -> int:
    """The id of the command that this session inserted last, in its present transaction."""
    return int(session.scalar(LAST_COMMAND) or 0)


def settled(session: Session, command_id: int) -> Settled | None:
    """How the command ended; None while it waits in the inbox."""
    row = session.execute(OUTCOME, {"command_id": command_id}).one_or_none()
    return None if row is None or row.sequence is None else Settled(row.sequence, row.refused)
