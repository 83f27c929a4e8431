"""The auction's five rules, tried at every price there is."""


def equilibrium(book):
    """(price, volume, surplus) of a naive book, or (None, 0, 0): what would trade if the auction ended now."""
    limits = [o.price for side in (1, -1) for o in book.resting(side) if o.type != "market"]
    prices = set(range(min(limits), max(limits) + 1)) if limits else set()
    prices |= {book.reference} - {None}
    found = []
    for price in prices:
        if price % book.rules.tick == 0 and book.in_band(price):
            bought, sold = (sum(o.left for o in takers(book, side, price)) for side in (1, -1))
            found.append((price, min(bought, sold), bought - sold))
    volume = max((one[1] for one in found), default=0)
    if not volume:
        return (None, 0, 0)
    found = [one for one in found if one[1] == volume]
    least = min(abs(one[2]) for one in found)
    found = [one for one in found if abs(one[2]) == least]
    if all(one[2] < 0 for one in found):
        return min(found)
    if all(one[2] > 0 for one in found) or book.reference is None:
        return max(found)
    return min(found, key=lambda one: (abs(one[0] - book.reference), -one[0]))


def takers(book, side, price):
    """Who would trade at `price`, in the order in which they do: market orders, better prices, older orders.

    A market order that is protected by a price comes with the limit orders at that price, before them.
    """
    willing = [o for o in book.resting(side) if o.price is None or (o.price - price) * side >= 0]
    return sorted(willing, key=lambda o: (o.price is not None, -(o.price or 0) * side, o.type != "market", o.joined))
