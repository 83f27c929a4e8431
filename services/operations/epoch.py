"""The word that all numbers of this exchange belong to."""

from sqlalchemy import text

from database.statements import Statements

EPOCH = text("SELECT word FROM epochs WHERE id = 1")


def read_epoch(session: Statements) -> str:
    """The present epoch. Whoever comes with a number of another one has to begin anew."""
    return str(session.scalar(EPOCH))
