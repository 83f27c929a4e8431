"""Stories of a book as a trader would write them down, and how to run them.

    Scenario: A partial fill keeps its place
        sell a 10 @ 1000
        sell b 10 @ 1000
        buy c 4 @ 1000
            trade a c 4 @ 1000
        Bids: -
        Asks: 1000 a 6, b 10

A command stands at four spaces, the events it must bring at eight. That an order is accepted goes without saying.
`Rules:` after the title takes the fields of `Rules`, and `reference`. Words after a command's numbers:

    buy c 4 @ 1000 ioc account=x stp=decrement until=50 post_only      limit; times are bare numbers
    buy c 4 market · buy c 4 market @ 1010                             without and with a protection price
    buy c 4 stop=1020 · buy c 4 @ 1030 stop=1020                       stop and stop-limit
    buy c 40 @ 1000 show=5                                             an iceberg
    cancel a · amend a 5 · amend a @ 990 · amend a 5 @ 990 until=never · amend a stop=1020
    state auction · state open from=auction,open · uncross · roll      what operators and the schedule ask for
    time 50                                                            the time of this and later commands
"""

from dataclasses import dataclass, field, fields
from pathlib import Path

from engine import (
    ASK,
    BID,
    UNCHANGED,
    Accepted,
    Amend,
    Amended,
    Book,
    Cancel,
    Cancelled,
    Clock,
    Corrected,
    Expired,
    Indicative,
    New,
    Order,
    Rejected,
    Roll,
    Rules,
    State,
    StateChanged,
    Trade,
    Triggered,
    Uncross,
)

FOLDER = Path(__file__).parent / "scenarios"
TIMES_IN_FORCE = ("gtc", "gtd", "day", "ioc", "fok")


def tell(event):  # noqa: C901, PLR0911 - one for each event
    """An event as a tuple of plain values, to compare and to read."""
    match event:
        case Accepted(order):
            return ("accepted", order.id)
        case Rejected(order_id, code):
            return ("rejected", order_id, code)
        case Trade(maker, taker, price, quantity):
            return ("trade", maker.id, taker.id, price, quantity)
        case Amended(order, price, quantity, kept, old_price, old_remaining):
            return ("amended", order.id, price, quantity, kept, old_price, old_remaining)
        case Cancelled(order, quantity, reason):
            return ("cancelled", order.id, quantity, reason)
        case Expired(order, quantity):
            return ("expired", order.id, quantity)
        case Triggered(order):
            return ("triggered", order.id)
        case Indicative(price, volume, surplus):
            return ("indicative", price, volume, surplus)
        case StateChanged(state, reason):
            return ("state", state, reason)
        case Corrected(last_price):
            return ("corrected", last_price)


def line(event):
    """An event as the stories write it."""
    match tell(event):
        case ("trade", maker, taker, price, quantity):
            return f"trade {maker} {taker} {quantity} @ {price}"
        case ("amended", order_id, price, quantity, kept, _, _):
            return f"amended {order_id} {quantity} @ {price}" + (" keeps priority" if kept else "")
        case ("indicative", price, volume, surplus):
            return f"indicative {volume} @ {price} surplus {surplus}" if volume else "indicative none"
        case ("state", state, reason):
            return f"state {state}" + (f" {reason}" if reason else "")
        case plain:
            return " ".join(str(word) for word in plain)


@dataclass
class Scenario:
    """A title, the rules, commands with what each must bring, and the book at the end."""

    title: str
    rules: dict = field(default_factory=dict)
    steps: list = field(default_factory=list)
    book: dict = field(default_factory=dict)


def scenarios():
    """Every scenario of every file."""
    return [scenario for path in sorted(FOLDER.glob("*.txt")) for scenario in parse(path.read_text())]


def parse(text):
    """The scenarios of one file; lines that start with # are remarks."""
    found = []
    for written in text.splitlines():
        words = written.strip()
        if not words or words.startswith("#"):
            continue
        key, _, value = words.partition(":")
        if key == "Scenario":
            found.append(Scenario(value.strip()))
        elif key == "Rules":
            found[-1].rules = dict(pair.split("=") for pair in value.split())
        elif key in ("Bids", "Asks"):
            found[-1].book[key] = value.strip()
        elif written.startswith(" " * 8):
            found[-1].steps[-1][1].append(words)
        else:
            found[-1].steps.append((words, []))
    return found


def build(rules):
    """The book for the words of a `Rules:` line."""
    reference = rules.get("reference")
    numbers = {f.name for f in fields(Rules) if f.type == "int"}
    values = {name: int(value) if name in numbers else value for name, value in rules.items() if name != "reference"}
    return Book(Rules(**values), int(reference) if reference else None)


def read(words):
    """The command that a line says; `time` is read where the commands are run."""
    verb, *rest = words.split()
    options = dict(word.split("=") for word in rest if "=" in word)
    price = int(rest[rest.index("@") + 1]) if "@" in rest else None
    if verb == "cancel":
        return Cancel(rest[0])
    if verb == "state":
        return State(rest[0], only_from=tuple(options["from"].split(","))) if options else State(rest[0])
    if verb == "uncross":
        return Uncross()
    if verb == "roll":
        return Roll()
    if verb == "amend":
        quantity = int(rest[1]) if len(rest) > 1 and rest[1].lstrip("-").isdigit() else None
        until = options.get("until")
        expire_at = UNCHANGED if until is None else None if until == "never" else int(until)
        return Amend(rest[0], price, quantity, expire_at, int(options["stop"]) if "stop" in options else None)
    stop = "stop" if price is None else "stop_limit"
    return New(
        Order(
            rest[0],
            options.get("account"),
            {"buy": BID, "sell": ASK}[verb],
            stop if "stop" in options else next((word for word in rest if word in ("market", "pegged")), "limit"),
            price,
            int(rest[1]),
            next((word for word in rest if word in TIMES_IN_FORCE), "gtc"),
            int(options["until"]) if "until" in options else None,
            options.get("stp"),
            post_only="post_only" in rest,
            stop_price=int(options["stop"]) if "stop" in options else None,
            display_quantity=int(options["show"]) if "show" in options else None,
        )
    )


def run(scenario):
    """Run a scenario, checking the book after each command; gives the steps and the book as they came out."""
    book, now, steps = build(scenario.rules), 0, []
    for words, _ in scenario.steps:
        if words.startswith("time "):
            now = int(words.split()[1])
            command = Clock()
        else:
            command = read(words)
        lines = [line(event) for event in book.apply(command, now) if not isinstance(event, Accepted)]
        book.check()
        steps.append((words, lines))
    return steps, {"Bids": show(book, BID), "Asks": show(book, ASK)}


def show(book, side):
    """One side of a book as the stories write it: best level first, oldest order first."""
    levels = (
        f"{level.price} " + ", ".join(f"{order.id} {order.remaining}" for order in level) for level in book.side(side)
    )
    return " | ".join(levels) or "-"
