"""The rules once more, as plainly as they can be said: one list, searched anew for each trade. Slow, and the oracle."""

from copy import deepcopy
from types import SimpleNamespace

from engine import ASK, UNCHANGED, Amend, Cancel, New

RESTING = ("gtc", "gtd", "day")
FIELDS = ("id", "account", "side", "type", "price", "quantity", "tif", "expire_at", "stp", "post_only")


class NaiveBook:
    """Takes the engine's commands, and tells of each event as a tuple, as `stories.tell` does of the engine's."""

    def __init__(self, rules, reference=None):
        self.rules, self.reference = rules, reference
        self.orders, self.now, self.joined = [], 0, 0

    def apply(self, command, now):
        self.now, self.events, self.first_price = max(self.now, now), [], None
        due = [o for o in self.orders if o.expire_at is not None and o.expire_at <= self.now]
        for order in sorted(due, key=lambda o: (o.expire_at, o.joined)):
            self.take("expired", order, order.left)
        if isinstance(command, New):
            order = SimpleNamespace(**{name: getattr(command.order, name) for name in FIELDS})
            self.new(order)
        elif isinstance(command, Cancel | Amend):
            order = next((o for o in self.orders if o.id == command.id), None)
            if order is None:
                self.events.append(("rejected", command.id, "unknown_order"))
            elif isinstance(command, Cancel):
                self.take("cancelled", order, order.left, "requested")
            else:
                self.amend(order, command)
        self.reference = self.reference or self.first_price
        return self.events

    def new(self, order):
        limited = order.type == "limit"
        code = self.wrong_quantity(order.quantity) or (self.wrong_price(order.price) if limited else None)
        if any(o.id == order.id for o in self.orders):
            code = "duplicate_id"
        if not code and order.post_only:
            may_rest = limited and order.tif in RESTING
            code = self.would_take(order, order.price) if may_rest else "invalid_post_only"
        if code:
            self.events.append(("rejected", order.id, code))
        else:
            order.left = order.quantity
            self.events.append(("accepted", order.id))
            self.enter(order)

    def amend(self, order, command):
        price = order.price if command.price is None else command.price
        quantity = order.quantity if command.quantity is None else command.quantity
        keeps = price == order.price and quantity <= order.quantity
        code = self.wrong_quantity(quantity) or (None if keeps else self.wrong_price(price))
        code = code or (self.would_take(order, price) if order.post_only else None)
        left = order.left - order.quantity + quantity
        if code:
            self.events.append(("rejected", order.id, code))
        elif left <= 0:
            self.take("cancelled", order, order.left, "amended")
        else:
            self.events.append(("amended", order.id, price, quantity, keeps, order.price, order.left))
            order.price, order.quantity, order.left = price, quantity, left
            if command.expire_at is not UNCHANGED:
                order.expire_at = command.expire_at
            if not keeps:
                self.orders.remove(order)
                self.enter(order)
            elif order.expire_at is not None and order.expire_at <= self.now:
                self.take("expired", order, left)

    def enter(self, order):
        over = order.expire_at is not None and order.expire_at <= self.now
        if not over and (order.tif != "fok" or self.fills_whole(order)):
            self.match(order)
        if order.left and (over or order.type == "market" or order.tif not in RESTING):
            self.take("expired", order, order.left)
        elif order.left:
            self.joined += 1
            order.joined = self.joined
            self.orders.append(order)

    def fills_whole(self, order):
        trial, order = deepcopy((self, order))
        trial.events = []
        trial.match(order)
        return sum(event[-1] for event in trial.events if event[0] == "trade") == order.quantity

    def match(self, taker):
        while taker.left:
            others = [o for o in self.orders if o.side == -taker.side]
            maker = min(others, key=lambda o: (o.price * taker.side, o.joined), default=None)
            if maker is None or (taker.price is not None and (maker.price - taker.price) * taker.side > 0):
                return
            seller_comes = taker.side == ASK and taker.type == "limit" and self.rules.execution_price == "seller"
            price = taker.price if seller_comes else maker.price
            if not self.in_band(price):
                if (price - self.reference) * maker.side < 0:
                    return
                self.take("cancelled", maker, maker.left, "price_outside_band")
                continue
            quantity = min(maker.left, taker.left)
            mode = taker.stp or self.rules.stp
            if taker.account is None or taker.account != maker.account or mode == "none":
                self.events.append(("trade", maker.id, taker.id, price, quantity))
                self.first_price = self.first_price or price
                self.reduce(maker, quantity)
                self.reduce(taker, quantity)
                continue
            if mode != "cancel_incoming":
                part = quantity if mode == "decrement" else maker.left
                self.take("cancelled", maker, part, "self_trade_prevention")
            if mode != "cancel_resting":
                part = quantity if mode == "decrement" else taker.left
                self.take("cancelled", taker, part, "self_trade_prevention")

    def take(self, what, order, quantity, *reason):
        self.reduce(order, quantity)
        self.events.append((what, order.id, quantity, *reason))

    def reduce(self, order, quantity):
        order.left -= quantity
        self.orders = [o for o in self.orders if o.left]

    def in_band(self, price):
        if not self.reference or not self.rules.band_bps:
            return True
        return abs(price - self.reference) * 10_000 <= self.reference * self.rules.band_bps

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
        meets = any(o.side == -order.side and (o.price - price) * order.side <= 0 for o in self.orders)
        return "post_only_would_take" if meets else None

    def queue(self, side):
        """What rests on `side` in the order in which it would trade: (id, price, remaining)."""
        mine = sorted((o for o in self.orders if o.side == side), key=lambda o: (-o.price * side, o.joined))
        return [(o.id, o.price, o.left) for o in mine]
