"""A row of the journal, to be carried out once more on a book that is as it was then."""

from typing import Any, Final

from engine.book import Book
from engine.terms.commands import Close, Command, Correct
from services.matching.closing import AS_PAID_FOR, own_orders, resize
from services.matching.journal import NEVER_MATCHED, command_of

JOURNAL: Final = """
    SELECT id, stock_id, kind, order_id, broker_id, CAST(payload AS text) AS payload, sequence, sequenced_at, refused,
        CASE WHEN kind = 'close' THEN (SELECT o.quantity FROM orders o WHERE o.id = order_id) END AS quantity,
        CASE WHEN kind = 'bust' THEN (
            SELECT max(b.last_price) FROM busts b
            WHERE b.stock_id = commands.stock_id AND b.command_sequence = commands.sequence
        ) END AS last_price
    FROM commands
"""
"""What `command_again` reads of a command: all that no book can know."""


def command_again(row: Any, book: Book) -> Command | None:
    """The engine's command for a row of JOURNAL; None for one that was kept from the engine.

    What closing a position came to is as it was settled: how much was held, and whether it could be paid for. So is the
    last price after a bust, which `services.verify.checks.clearing` proves.
    """
    if row.refused in NEVER_MATCHED or (row.kind == "bust" and row.refused):  # perhaps because it cannot be read
        return None
    command = command_of(row)
    if isinstance(command, Close):
        command.ids = [order.id for order in own_orders(book, command.order)]
        resize(command.order, row.quantity)
        if row.refused in AS_PAID_FOR:
            command.refused = row.refused
    if isinstance(command, Correct):
        command.last_price = row.last_price
    return command
