"""A day of order flow in the form of a LOBSTER file, made up."""

import random


def exchange_day(seed, best_level_only=False):
    """A LOBSTER file written down from a little exchange of its own, from some message after the open on.

    With `best_level_only` it shows what a level 1 file shows: orders enter and leave its window without a message.
    """
    choose = random.Random(seed)
    queues, lines, next_id = {1: {}, -1: {}}, [], 100
    for number in range(3000):
        side = choose.choice([1, -1])
        orders = queues[side]
        eager = min(orders, key=lambda order: (-orders[order][0] * side, order), default=None)
        kind = choose.choice([1, 1, 1, 2, 3, 4, 4, 5])
        if kind == 1 or eager is None:
            kind, order, size = 1, next_id, choose.randint(1, 300)
            price = (5853 - side * choose.randint(1, 12)) * 100
            orders[order] = [price, size]
            next_id += choose.randint(1, 3)
        elif kind == 5:
            order, (price, size) = 0, orders[eager]
        else:
            order = eager if kind == 4 else choose.choice(list(orders))
            price, resting = orders[order]
            size = resting if kind == 3 else choose.randint(1, resting)
            kind = 3 if kind == 2 and size == resting else kind
        best = max(standing[0] * side for standing in orders.values())
        if kind in (2, 3, 4):
            orders[order][1] -= size
            if not orders[order][1]:
                del orders[order]
        line = f"{34200 + number / 1000:.6f},{kind},{order},{size},{price},{side}\n"
        if number >= 500 and (price * side == best or not best_level_only):
            lines.append(line)
    return "".join(lines)
