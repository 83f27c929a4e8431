"""The rules once more, as plainly as they can be said: one list, searched anew for each trade. Slow, and the oracle."""

from copy import deepcopy
from types import SimpleNamespace

from engine import ASK, UNCHANGED, Amend, Cancel, Close, Correct, New, Roll, State, Uncross
from tests.engine.naive_auction import equilibrium, takers

RESTING = ("gtc", "gtd", "day")
FIELDS = (
    *("id", "account", "side", "type", "price", "quantity", "tif", "expire_at", "stp", "post_only"),
    *("stop_price", "display_quantity"),
)
NOTHING = (None, 0, 0)
KNOWN = ("pre_open", "auction", "open", "halted", "closed", "delisted")
STILL = {
    "halted": "stock_halted",
    "closed": "stock_closed",
    "pre_open": "stock_closed",
    "delisted": "stock_delisted",
}


class NaiveBook:
    """Takes the engine's commands, and tells of each event as a tuple, as `stories.tell` does of the engine's."""

    def __init__(self, rules, reference=None):
        self.rules, self.reference = rules, reference
        self.orders, self.now, self.joined = [], 0, 0
        self.state, self.last, self.anchor, self.indicative = "open", None, None, NOTHING

    def apply(self, command, now):  # noqa: C901 - one branch for each command
        if isinstance(command, Correct):
            return self.correct(command.last_price)
        self.now, self.events, self.anchor, self.first_price = max(self.now, now), [], self.last, None
        due = [o for o in self.orders if o.expire_at is not None and o.expire_at <= self.now]
        for order in sorted(due, key=lambda o: (o.expire_at, o.joined)):
            self.take("expired", order, order.left)
        if isinstance(command, New):
            self.new(copied(command.order))
        elif isinstance(command, Cancel | Amend):
            order = next((o for o in self.orders if o.id == command.id), None)
            if order is None:
                self.events.append(("rejected", command.id, "unknown_order"))
            elif isinstance(command, Cancel):
                self.take("cancelled", order, order.left, command.reason)
            else:
                self.amend(order, command)
        elif isinstance(command, Close):
            self.close(command)
        elif isinstance(command, State):
            self.change_state(command)
        elif isinstance(command, Uncross):
            self.end_auction()
        elif isinstance(command, Roll):
            self.end_session()
        self.elect()
        self.tell_indicative()
        return self.events

    def correct(self, last_price):
        self.last = last_price
        if self.rules.band_reference == "last":
            self.reference = last_price
        return [("corrected", last_price)]

    def new(self, order):
        code = self.refusal(order)
        if code:
            self.events.append(("rejected", order.id, code))
            return
        order.left, order.shown = order.quantity, 0
        self.events.append(("accepted", order.id))
        if self.state == "open" and self.reached(order):
            self.trigger(order)
        self.enter(order)

    def close(self, command):
        code = STILL.get(self.state)
        if command.refused == "no_position":
            code = code or "no_position"
        for order in [] if code else [o for id in command.ids for o in self.orders if o.id == id]:
            self.take("cancelled", order, order.left, "requested")
        code = code or command.refused
        if code:
            self.events.append(("rejected", command.order.id, code))
        else:
            self.new(copied(command.order))

    def reached(self, order):
        return self.last is not None and waits(order) and (self.last - order.stop_price) * order.side >= 0

    def refusal(self, order):
        limited, rests = order.type in ("limit", "stop_limit"), order.tif in RESTING
        duplicate = any(o.id == order.id for o in self.orders)
        still = self.state in ("halted", "closed", "delisted")
        stop, display = order.type.startswith("stop"), order.display_quantity
        whole_lots = display is None or (0 < display <= order.quantity and display % self.rules.lot == 0)
        may_gather = stop or rests or (order.type == "market" and order.tif != "fok")
        gathering = self.state in ("pre_open", "auction")
        reasons = (
            "duplicate_id" if duplicate else None,
            f"stock_{self.state}" if still else None,
            self.wrong_quantity(order.quantity),
            self.wrong_price(order.price) if limited else None,
            "invalid_price" if not limited and order.price is not None and order.price <= 0 else None,
            "invalid_stop_price"
            if stop != (order.stop_price is not None) or (stop and order.stop_price <= 0)
            else None,
            "off_tick" if stop and order.stop_price is not None and order.stop_price % self.rules.tick else None,
            "invalid_display_quantity" if not whole_lots or (display is not None and not (limited and rests)) else None,
            "not_in_auction" if gathering and (order.post_only or not may_gather) else None,
            "invalid_post_only" if order.post_only and not (order.type == "limit" and rests) else None,
        )
        code = next((one for one in reasons if one), None)
        return code or (self.would_take(order, order.price) if order.post_only else None)

    def amend(self, order, command):
        price = order.price if command.price is None else command.price
        quantity = order.quantity if command.quantity is None else command.quantity
        stop = order.stop_price if command.stop_price is None else command.stop_price
        keeps = price == order.price and quantity <= order.quantity and stop == order.stop_price
        code = self.amend_refusal(order, command, price, quantity, keeps)
        left = order.left - order.quantity + quantity
        if code:
            self.events.append(("rejected", order.id, code))
        elif left <= 0:
            self.take("cancelled", order, order.left, "amended")
        else:
            self.events.append(("amended", order.id, price or 0, quantity, keeps, order.price or 0, order.left))
            order.price, order.quantity, order.left, order.stop_price = price, quantity, left, stop
            if command.expire_at is not UNCHANGED:
                order.expire_at = command.expire_at
            if not keeps:
                self.orders.remove(order)
                order.shown = 0
                if self.state == "open" and self.reached(order):
                    self.trigger(order)
                self.enter(order)
            else:
                order.shown = min(order.shown, left)
                if order.expire_at is not None and order.expire_at <= self.now:
                    self.take("expired", order, left)

    def amend_refusal(self, order, command, price, quantity, keeps):
        stop, limited = command.stop_price, order.type in ("limit", "stop_limit")
        moves = stop not in (None, order.stop_price)
        still = self.state in ("halted", "closed", "delisted")
        foreign = not moves and not limited and command.price not in (None, order.price)
        reasons = (
            f"stock_{self.state}" if still else None,
            "not_amendable" if foreign or (moves and not waits(order)) else None,
            self.wrong_quantity(quantity),
            self.wrong_price(price) if limited and not keeps else None,
            "invalid_price" if not limited and not keeps and price is not None and price <= 0 else None,
            "invalid_stop_price" if moves and stop <= 0 else None,
            "off_tick" if moves and stop % self.rules.tick else None,
            self.would_take(order, price) if order.post_only and self.state == "open" else None,
        )
        return next((one for one in reasons if one), None)

    def enter(self, order):
        over = order.expire_at is not None and order.expire_at <= self.now
        gathers = waits(order) or self.state != "open"
        limited = order.type in ("limit", "stop_limit")
        if not over and not gathers and (order.tif != "fok" or self.fills_whole(order)):
            self.match(order)
        if order.left and (over or (not gathers and not (limited and order.tif in RESTING))):
            self.take("expired", order, order.left)
        elif order.left:
            self.join(order)

    def join(self, order):
        self.joined += 1
        order.joined = self.joined
        if order.display_quantity is not None and not waits(order) and not order.shown:
            order.shown = min(order.display_quantity, order.left)
        if order not in self.orders:
            self.orders.append(order)

    def fills_whole(self, order):
        trial, order = deepcopy((self, order))
        trial.events = []
        trial.match(order)
        return sum(event[-1] for event in trial.events if event[0] == "trade") == order.quantity

    def match(self, taker):
        first_price = None
        while taker.left:
            others = [o for o in self.resting(-taker.side) if o.type != "market"]
            maker = min(others, key=lambda o: (o.price * taker.side, o.joined), default=None)
            if maker is None or (taker.price is not None and (maker.price - taker.price) * taker.side > 0):
                break
            limited = taker.type in ("limit", "stop_limit")
            seller_comes = taker.side == ASK and limited and self.rules.execution_price == "seller"
            price = taker.price if seller_comes else maker.price
            if not self.in_band(price):
                if (price - self.reference) * maker.side < 0:
                    break
                self.take("cancelled", maker, maker.left, "price_outside_band")
                continue
            if self.leaves_dynamic_band(price):
                self.state = "auction"
                self.events.append(("state", "auction", "volatility"))
                break
            mode = taker.stp or self.rules.stp
            if taker.account is None or taker.account != maker.account or mode == "none":
                showing = maker.left if maker.display_quantity is None else maker.shown
                quantity = min(showing, taker.left)
                self.events.append(("trade", maker.id, taker.id, price, quantity))
                self.last = price
                first_price = first_price or price
                self.reduce(maker, quantity, trades=True)
                self.reduce(taker, quantity)
                continue
            quantity = min(maker.left, taker.left)
            if mode != "cancel_incoming":
                part = quantity if mode == "decrement" else maker.left
                self.take("cancelled", maker, part, "self_trade_prevention")
            if mode != "cancel_resting":
                part = quantity if mode == "decrement" else taker.left
                self.take("cancelled", taker, part, "self_trade_prevention")
        if first_price:
            self.reference = self.last if self.rules.band_reference == "last" else self.reference or first_price

    def take(self, what, order, quantity, *reason):
        self.reduce(order, quantity)
        self.events.append((what, order.id, quantity, *reason))

    def reduce(self, order, quantity, *, trades=False):
        order.left -= quantity
        if order.display_quantity is not None and order in self.orders:
            order.shown = order.shown - quantity if trades else min(order.shown, order.left)
            if trades and order.left and not order.shown:
                self.join(order)
        self.orders = [o for o in self.orders if o.left]

    def elect(self, *prices):
        while self.state == "open":
            prices = (*prices, *(event[3] for event in self.events if event[0] == "trade"))
            reached = [
                (-beyond, order.joined, order)
                for order in self.orders
                if waits(order) and prices
                for beyond in [(max(prices) - order.stop_price) if order.side > 0 else (order.stop_price - min(prices))]
                if beyond >= 0
            ]
            if not reached:
                return
            order = min(reached, key=lambda found: found[:2])[2]
            self.orders.remove(order)
            self.trigger(order)
            if order.type == "stop_limit" and not self.in_band(order.price):
                self.take("cancelled", order, order.left, "price_outside_band")
            else:
                self.enter(order)

    def trigger(self, order):
        order.elected = True
        self.events.append(("triggered", order.id))

    def change_state(self, command):
        state = command.state
        code = "invalid_state" if state not in KNOWN else "state_not_left"
        if state not in KNOWN or self.state not in command.only_from:
            self.events.append(("rejected", None, code))
            return
        if state == "open" and self.state != "open":
            self.uncross()
            self.anchor = self.last
        self.state = state
        self.events.append(("state", state, command.reason))
        if state == "open":
            for order in self.gathered():
                if self.state == "open":
                    self.orders.remove(order)
                    self.enter(order)
            if self.last is not None:
                self.elect(self.last)
        elif state == "closed":
            self.end_session()
        elif state == "delisted":
            for order in sorted(self.orders, key=lambda o: o.joined):
                self.take("cancelled", order, order.left, "delisted")

    def end_session(self):
        days = sorted((o for o in self.orders if o.tif == "day" and o.type != "market"), key=lambda o: o.joined)
        for order in [*self.gathered(), *days]:
            self.take("expired", order, order.left)
        self.reference = self.last or self.reference

    def gathered(self):
        return sorted((o for o in self.orders if o.type == "market"), key=lambda o: o.joined)

    def drop_what_blocks(self, side):
        bids, asks = self.queue(1), self.queue(-1)
        if bids and asks and bids[0][1] >= asks[0][1]:
            blocking = [o for o in self.resting(side) if o.type != "market" and not self.in_band(o.price)]
            blocking = [o for o in blocking if (o.price - self.reference) * side > 0]
            for order in sorted(blocking, key=lambda o: (-o.price * side, o.joined)):
                self.take("cancelled", order, order.left, "price_outside_band")

    def end_auction(self):
        if self.state in ("pre_open", "auction"):
            self.uncross()
        else:
            self.events.append(("rejected", None, "no_auction"))

    def uncross(self):
        price, volume, _ = equilibrium(self)
        bids, asks = (takers(self, 1, price), takers(self, -1, price)) if volume else ([], [])
        while volume:
            bid, ask = bids[0], asks[0]
            quantity = min(bid.left, ask.left, volume)
            older, younger = sorted((bid, ask), key=lambda o: o.joined)
            self.events.append(("trade", older.id, younger.id, price, quantity))
            self.reduce(bid, quantity)
            self.reduce(ask, quantity)
            bids, asks = [o for o in bids if o.left], [o for o in asks if o.left]
            volume -= quantity
        for side in (1, -1):
            self.drop_what_blocks(side)
        if price:
            self.last = self.reference = price

    def tell_indicative(self):
        found = equilibrium(self) if self.state == "auction" else NOTHING
        if self.state == "auction" and found != self.indicative:
            self.events.append(("indicative", *found))
        self.indicative = found

    def resting(self, side):
        """What may trade on `side`: everything but stops that wait."""
        return [o for o in self.orders if o.side == side and not waits(o)]

    def in_band(self, price):
        if not self.reference or not self.rules.band_bps:
            return True
        return abs(price - self.reference) * 10_000 <= self.reference * self.rules.band_bps

    def leaves_dynamic_band(self, price):
        around = self.reference if self.anchor is None else self.anchor
        if around is None or not self.rules.dynamic_band_bps:
            return False
        return abs(price - around) * 10_000 > around * self.rules.dynamic_band_bps

    def wrong_quantity(self, quantity):
        if quantity <= 0:
            return "invalid_quantity"
        return "off_lot" if quantity % self.rules.lot else None

    def wrong_price(self, price):
        if price is None or price <= 0:
            return "invalid_price"
        if price % self.rules.tick:
            return "off_tick"
        return None if self.in_band(price) else "price_outside_band"

    def would_take(self, order, price):
        meets = any((o.price - price) * order.side <= 0 for o in self.resting(-order.side))
        return "post_only_would_take" if meets else None

    def queue(self, side):
        """What rests on `side` in the order in which it would trade: (id, price, remaining)."""
        mine = sorted((o for o in self.resting(side) if o.type != "market"), key=lambda o: (-o.price * side, o.joined))
        return [(o.id, o.price, o.left) for o in mine]


def copied(order):
    """The order as it comes, in a body of its own."""
    return SimpleNamespace(**{name: getattr(order, name) for name in FIELDS}, elected=False)


def waits(order):
    """Whether it is a stop that has not been elected."""
    return order.type in ("stop", "stop_limit") and not order.elected
