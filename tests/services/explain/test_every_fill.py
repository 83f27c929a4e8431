"""Whatever was traded in whatever order: each fill is explained to both owners as the engine saw it, and no more."""

import random
from collections import Counter, defaultdict
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest

from database.session import transaction
from engine.terms.orders import BID, SIDES, Order
from services.explain.explain import explain
from services.explain.own_fill import OF_TRADE, read_own_fill
from services.explain.queues import Queues
from services.history.entry_times import EntryTimes
from services.history.keeping import keep_books
from services.timestamps import microseconds
from tests.services.explain.replayed_tape import Carried, Match, Waiting, is_auction, replayed
from tests.services.floor import Floor
from tests.services.stream import Stream

STEPS = 240


def explained(floor: Floor, broker: int, trade_id: int) -> dict[str, Any]:
    """As the API would."""
    reading: partial[AbstractContextManager[Any]] = partial(transaction, floor.engine)
    with reading() as session:
        fill = read_own_fill(session, broker, trade_id)
    return explain(fill, reading)


def parts(match: Match, waiting: Waiting, told_to: int) -> list[tuple[int, int, bool]]:
    """The places of one order as they showed: (shown, taken, own); an iceberg's new parts are places of their own."""
    order, left = waiting.order, waiting.remaining
    is_own = order.account[0] == told_to
    taken = [trade.quantity for trade in match.trades if order in (trade.maker, trade.taker)]
    if match.taker is None:
        return [(waiting.shown, min(waiting.shown, sum(taken)), is_own)]
    places = [(waiting.shown, taken[0] if taken else 0, is_own)]
    for quantity in taken[1:]:
        left -= places[-1][1]
        places.append((min(order.display_quantity, left), quantity, is_own))
    return places


def levels_of(match: Match, side: int, told_to: int) -> list[tuple[int | None, Counter[Any]]]:
    """The levels of a side that a match reached, best first: what each place showed, and what was taken of it."""
    queues = [waiting for waiting in match.queues if waiting.order.side == side]
    levels: dict[int | None, list[Waiting]] = defaultdict(list)
    for waiting in queues:
        levels[waiting.price].append(waiting)
    prices = sorted(levels, key=lambda price: (price is not None, -(price or 0) * side))
    reached = [
        any(any(waiting.order in (trade.maker, trade.taker) for trade in match.trades) for waiting in levels[price])
        for price in prices
    ]
    until = max((n for n, is_reached in enumerate(reached) if is_reached), default=-1)
    return [
        (price, Counter(part for waiting in levels[price] for part in parts(match, waiting, told_to)))
        for price in prices[: until + 1]
    ]


def check_levels(told: dict[str, Any], match: Match, side: int, told_to: int) -> None:
    wanted = levels_of(match, side, told_to)
    found = [
        (level["price"], Counter((o["quantity"], o["taken"], o["order_id"] is not None) for o in level["orders"]))
        for level in told["levels"]
    ]
    prevented = sum(o["prevented"] for level in told["levels"] for o in level["orders"])
    is_takers = match.taker is not None and match.taker.account[0] == told_to
    assert prevented == (match.prevented if is_takers else 0)
    assert len(found) == len(wanted) or match.prevented  # beyond the last trade it met orders of its own
    assert found[: len(wanted)] == wanted
    for level, (_, places) in zip(told["levels"], wanted, strict=False):
        orders = [waiting for waiting in match.queues if waiting.order.side == side and waiting.price == level["price"]]
        assert level["order_count"] == len(orders)
        assert level["total_quantity"] == sum(waiting.shown for waiting in orders)
        assert [o["entered_at"] for o in level["orders"]][: len(orders)] == [w.entered_at for w in orders]
        assert places
    taken = sum(o["taken"] for level in told["levels"] for o in level["orders"])
    assert taken + told["hidden_taken"] == sum(trade.quantity for trade in match.trades)
    assert sum(o["in_this_trade"] for level in told["levels"] for o in level["orders"]) == 1


def check_checks(told: dict[str, Any], match: Match) -> None:
    assert all(each["passed"] for each in told["checks"]), told["checks"]
    checks = {each["check"]: each for each in told["checks"]}
    assert len(checks) == len(told["checks"])
    assert checks["trading_state"]["state"] == match.state
    assert checks["price_band"]["reference"] == match.reference
    if "dynamic_band" in checks:
        assert checks["dynamic_band"]["reference"] == (match.reference if match.anchor is None else match.anchor)


def check_money(floor: Floor, told: dict[str, Any], trade: Any, order: Order, limit: int | None, broker: int) -> None:
    of_trade = "SELECT * FROM transfers WHERE trade_id = :id AND kind = ANY(:kinds) ORDER BY id"
    rows = floor.query(of_trade, id=told["trade_id"], kinds=list(OF_TRADE))
    own = [row for row in rows if broker in (row.from_broker, row.to_broker)]
    assert [(t["transfer_id"], t["kind"], t["amount"]) for t in told["transfers"]] == [
        (row.id, row.kind, row.amount) for row in own
    ]
    assert {t[end] for t in told["transfers"] for end in ("from_account", "to_account")} <= {
        "own", "counterparty", "exchange",
    }  # fmt: skip
    assert told["fee"] == sum(row.amount for row in rows if row.kind == "fee" and row.order_id == order.id)
    better = 0 if limit is None else (limit - trade.price) * order.side * trade.quantity
    assert told["improvement"] == better >= 0
    came_back = sum(row.amount for row in rows if row.kind == "improvement")
    if order.side == BID:
        pays_fees = floor.row(order.id).maker_bps is not None
        assert came_back >= better if pays_fees else came_back == better


def check(floor: Floor, carried: Carried, number: int, row: Any, seen: Counter[str]) -> None:
    trade = carried.trades[number]
    match = carried.match_of(trade)
    for broker in {row.buyer_id, row.seller_id}:
        told = explained(floor, broker, row.id)
        side = SIDES[told["side"]]
        order = trade.maker if trade.maker.side == side else trade.taker
        assert told["order"]["order_id"] == order.id
        assert (told["other_order_id"] is None) == (row.buyer_id != row.seller_id)
        assert told["left_out"] is None
        assert (told["price"], told["busted"]) == (row.price, row.busted_at is not None)
        assert told["adjusted_price"] == row.adjusted_price
        assert (told["book_before"], told["book_after"]) == (carried.before, carried.after)
        check_checks(told, match)
        met = -side if is_auction(trade) or order is match.taker else side
        check_levels(told, match, met, broker)
        check_money(floor, told, trade, order, match.limits[order.id], broker)
        seen[told["liquidity"]] += 1
        seen[told["price_rule"]["rule"]] += 1
        seen[f"by {told['command']['kind']}"] += 1
        seen["both sides"] += told["other_order_id"] is not None
        places = [place for level in told["levels"] for place in level["orders"]]
        seen["prevented"] += any(place["prevented"] for place in places)
        seen["new parts"] += any(len(level["orders"]) > level["order_count"] for level in told["levels"])
        seen["hidden"] += bool(told["hidden_taken"])
        seen["stops"] += order is match.taker and order.stop_price is not None
        seen["dynamic bands"] += any(each["check"] == "dynamic_band" for each in told["checks"])
        seen["improved"] += bool(told["improvement"])
        seen["fees"] += bool(told["fee"])
        seen["busted"] += told["busted"]
        seen["adjusted"] += told["adjusted_price"] is not None


SEEN = {
    "maker", "taker", "auction", "seller", "by new", "by amend", "by close", "by state", "both sides",
    "prevented", "new parts", "stops", "improved", "fees", "busted", "adjusted",
}  # fmt: skip


def check_all(floor: Floor, symbol: str, seen: Counter[str]) -> None:
    """Explain each trade of the stock to both owners, and hold that against what the engine saw."""
    rows = floor.query("SELECT * FROM trades WHERE stock_id = :id ORDER BY sequence", id=floor.symbols[symbol])
    left = iter(rows)
    for carried, _ in replayed(floor, symbol):
        for number in range(len(carried.trades)):
            check(floor, carried, number, next(left), seen)
    assert next(left, None) is None


def test_every_fill_is_explained_as_the_engine_saw_it(floor):
    seen: Counter[str] = Counter()
    for seed in range(3):
        stream = Stream(floor, seed)
        for step in range(STEPS):
            stream.step()
            if step % 40 == 0:
                with transaction(floor.engine) as session:
                    keep_books(session, every=1)
        stream.drain()
        for symbol in stream.symbols:
            check_all(floor, symbol, seen)
    assert SEEN - {name for name, times in seen.items() if times} == set(), seen


@pytest.mark.parametrize("seed", range(2))
def test_bands_are_told_as_they_lay_when_the_order_came(floor, seed):
    chance = random.Random(seed)
    symbol = floor.stock(band_reference="last", dynamic_band_bps=150, band_bps=300)
    brokers = [floor.broker(**{symbol: 5_000}) for _ in range(3)]
    for _ in range(150):
        price, stop = 3_500 + chance.randrange(-60, 61), {}
        if chance.random() < 0.3:
            stop = {"stop_price": 3_500 + chance.randrange(-40, 41)}
        order = floor.order(
            chance.choice(brokers), symbol, chance.choice(["bid", "ask"]), chance.randrange(1, 30), price, **stop
        )
        floor.place(order)
        floor.match(symbol)
        if chance.random() < 0.1:
            floor.put_into(symbol, "open")  # after a volatility auction
    seen: Counter[str] = Counter()
    check_all(floor, symbol, seen)
    assert seen["dynamic bands"] > 20
    assert seen["stops"]


@pytest.mark.parametrize("seed", range(4, 8))
def test_the_queues_end_as_the_book_does(floor, seed):
    stream = Stream(floor, seed)
    for _ in range(320):
        stream.step()
    stream.drain()
    for symbol in stream.symbols:
        queues, sides = None, []
        for carried, book in replayed(floor, symbol):
            if queues is not None:
                queues.now = microseconds(carried.row.sequenced_at)
                for event in carried.events:
                    queues.take(event)
                queues.end()
                for side in (1, -1):
                    places = sorted(queues.of_side(side), key=lambda p: (-(p.price or 0) * side, p.number))
                    sides = [(p.order.id, p.price, p.shown, p.remaining) for p in places if p.price is not None]
                    assert sides == [
                        (o.id, o.price, o.remaining if o.display_quantity is None else o.shown, o.remaining)
                        for o in book.queue(side)
                    ]
            queues = Queues(book, EntryTimes(book, {}), 0)
