"""The write set of one order again and again, from psycopg: where there is no pgbench.

    python -m bench.baselines.storage_loop '{"url": …, "clients": 4, "seconds": 10, …}'

Prints the orders a second of this process; `bench.baselines.storage` starts several.
"""

from __future__ import annotations

import json
import random
import sys
import threading
import time
from typing import Any

import psycopg

from bench.baselines.storage import prepared_statement


def drawn_order(choose: random.Random, limits: dict[str, Any]) -> dict[str, Any]:
    """A random order, drawn like pgbench's: prices in cents, quantity and `amount` in shares or cents."""
    stock = choose.randint(limits["first_stock"], limits["last_stock"])
    quantity = 10 * choose.randint(1, 100)
    price = limits["reference"] + choose.randint(-20, 20)
    bid = choose.random() < 0.5
    return {
        "broker": choose.randint(limits["first_broker"], limits["last_broker"]),
        "stock": stock,
        "quantity": quantity,
        "price": price,
        "side": "bid" if bid else "ask",
        "asset": 1 if bid else stock,
        "amount": price * quantity if bid else quantity,
    }


def repeat(wanted: dict[str, Any], client: int, counts: list[int]) -> None:
    """Store orders on one connection until the time is over; how many, in `counts`."""
    choose = random.Random(f"{wanted['seed']}-{client}")
    statement = prepared_statement()
    with psycopg.connect(wanted["url"], autocommit=True) as connection:
        deadline = time.monotonic() + wanted["seconds"]
        while time.monotonic() < deadline:
            connection.execute(statement, drawn_order(choose, wanted), prepare=True)
            counts[client] += 1


def main() -> None:
    """Run the clients of this process."""
    wanted = json.loads(sys.argv[1])
    counts = [0] * wanted["clients"]
    threads = [threading.Thread(target=repeat, args=(wanted, client, counts)) for client in range(wanted["clients"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(sum(counts) / wanted["seconds"])


if __name__ == "__main__":
    main()
