"""Cancels that come together: each gets its own answer and its own command."""

import orjson

from database.session import transaction
from services.errors import NotYourOrder, UnknownOrder
from services.order_entry.changing.cancel import Cancel, cancel_orders
from services.order_entry.command_result import CommandResult, command_result


def test_each_of_a_batch_has_its_own_answer(floor):
    symbol, buyer, other = floor.stock(), floor.broker(), floor.broker()
    first, second, foreign, gone = (floor.bid(owner, symbol, 100, 3_500) for owner in (buyer, buyer, other, buyer))
    floor.cancel(buyer, gone)
    floor.match(symbol)
    requests = [first, foreign, 2**53, gone, first, second]
    with transaction(floor.engine) as session:
        answers = cancel_orders(session, [Cancel(buyer, order, f"here/{n}") for n, order in enumerate(requests)])
    assert isinstance(answers[1], NotYourOrder)
    assert isinstance(answers[2], UnknownOrder)
    assert (answers[3].order_id, answers[3].command_id) == (gone, None)
    commands = floor.query("SELECT id, order_id, reply_to FROM commands WHERE sequence IS NULL ORDER BY id")
    assert commands == [
        (answers[n].command_id, order, f"here/{n}") for n, order in ((0, first), (4, first), (5, second))
    ]
    turn = floor.match(symbol)
    assert turn.replies == [
        ("here/0", CommandResult(6, None, False)),
        ("here/4", CommandResult(7, "unknown_order", False)),
        ("here/5", CommandResult(8, None, False)),
    ]
    for (_, told), command in zip(turn.replies, commands, strict=True):
        with transaction(floor.engine) as session:
            assert command_result(session, command.id) == told == CommandResult.told(orjson.loads(orjson.dumps(told)))
    assert [floor.row(order).status for order in requests if order != 2**53] == [
        "cancelled", "open", "cancelled", "cancelled", "cancelled",
    ]  # fmt: skip
