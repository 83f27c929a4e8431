"""The books that were kept now and then, against the replay's as it is at the same command."""

from typing import Any

from engine.book import Book
from engine.terms.order_types import DAY
from engine.terms.orders import CONDITIONS, Order
from services.history.entry_times import EntryTimes
from services.history.kept import book_of
from services.verify.report import Check, shown

PROPERTIES = (
    *("account", "side", "type", "price", "quantity", "expire_at", "stp", "filled", "filled_value", "cancelled"),
    *("elected", "shown", *CONDITIONS),
)


def compare_kept(check: Check, stock: Any, kept: Any, book: Book, entered: EntryTimes) -> None:
    """Hold `kept`, a row of `book_checkpoints`, against the book: the same market, the same orders as they stand."""
    check.rows += 1
    row = {"stock_id": stock.id, "command_sequence": kept.command_sequence}
    try:
        found, times = book_of(stock, kept)
    except (ValueError, TypeError) as error:
        check.require(repr(error), "orders that rest", "orders", "book_checkpoints", **row)
        return
    for what in ("state", "reference", "last_price"):
        check.require(getattr(found, what), getattr(book, what), what, "book_checkpoints", **row)
    check.require(kept.order_count, len(book.orders), "order_count", "book_checkpoints", **row)
    for ours, theirs in zip(_in_order(found), _in_order(book), strict=False):
        since = times.of(ours)
        other = None if since is None else entered.of(theirs)
        if _facts(ours, since) != _facts(theirs, other):
            what = f"{shown(_facts(ours, since))} of order {ours.id}"
            check.require(what, shown(_facts(theirs, other)), "orders", "book_checkpoints", **row)
            return


def _in_order(book: Book) -> list[Order]:
    return sorted(book.orders.values(), key=lambda order: order.priority)


def _facts(order: Order, since: int | None) -> tuple[Any, ...]:
    """All that counts. `gtc` and `gtd` are the same to the engine, and the table has what an amendment makes of one."""
    return (order.id, *(getattr(order, name) for name in PROPERTIES), order.tif == DAY, since)
