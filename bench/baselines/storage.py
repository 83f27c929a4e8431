"""The ceiling of everything durable: PostgreSQL alone with the write set of one order, nothing around it.

One prepared statement takes from the balance and stores the order, its command and its transfer, as placing an order
does; nobody checks, matches or answers. pgbench repeats it from outside Python; without pgbench, psycopg does in
several processes (`bench.baselines.storage_loop`), which costs some of the ceiling.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from typing import Final
from urllib.parse import urlsplit

from bench.options import Options
from bench.world.seed import REFERENCE
from bench.world.world import World
from settings.loading import ROOT

WRITE: Final = """
WITH reserved AS (
    UPDATE balances SET available = available - {amount}, reserved = reserved + {amount}
    WHERE broker_id = {broker} AND asset_id = {asset} AND available - {amount} >= -credit_limit
    RETURNING broker_id
), stored AS (
    INSERT INTO orders (broker_id, stock_id, document_number, side, order_type, time_in_force, price, quantity,
        remaining_quantity, fingerprint)
    SELECT broker_id, {stock}, '52998', {side}, 'limit', 'gtc', {price}, {quantity}, {quantity},
        '\\x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'
    FROM reserved RETURNING id, broker_id
), inbox AS (
    INSERT INTO commands (stock_id, kind, order_id, broker_id, payload)
    SELECT {stock}, 'new', id, broker_id,
        '{{"document": "52998", "side": "bid", "type": "limit", "tif": "gtc", "price": 10000, "quantity": 100}}'
    FROM stored
)
INSERT INTO transfers (kind, asset_id, amount, from_broker, from_bucket, to_broker, to_bucket, order_id)
SELECT 'reserve', {asset}, {amount}, broker_id, 'available', broker_id, 'reserved', id FROM stored
"""
"""One order's rows, as `services.order_entry.placing.store` writes them; the braces are what is drawn for each order.
No colon touches a letter or a digit, for pgbench would take it for a variable."""

SCRIPT: Final = r"""
\set broker random(:first_broker, :last_broker)
\set stock random(:first_stock, :last_stock)
\set quantity 10 * random(1, 100)
\set price :reference + random(-20, 20)
\set bid random(0, 1)
\set asset CASE WHEN :bid = 1 THEN 1 ELSE :stock END
\set amount CASE WHEN :bid = 1 THEN :price * :quantity ELSE :quantity END
"""
"""pgbench's draw: uniform over brokers, stocks and sides, prices within 20 cents."""

DRAWN: Final = ("broker", "stock", "asset", "amount", "price", "quantity")


def method() -> str:
    """The program that makes the load on this machine, for the remark of its figures."""
    return "pgbench -M prepared" if shutil.which("pgbench") else "psycopg in 4 processes, for want of pgbench"


def orders_stored(options: Options, clients: int) -> float:
    """Orders a second that a PostgreSQL of its own stores for so many clients, in tables that begin empty."""
    with World.of(options) as world:
        limits = {
            "first_broker": world.traders[0].broker_id,
            "last_broker": world.traders[-1].broker_id,
            "first_stock": world.stock_ids[0],
            "last_stock": world.stock_ids[-1],
            "reference": REFERENCE,
        }
        if shutil.which("pgbench"):
            return _pgbench(world, limits, clients, options.seconds, options.seed)
        return _psycopg(world, limits, clients, options.seconds)


def _pgbench(world: World, limits: dict[str, int], clients: int, seconds: int, seed: int) -> float:
    script = world.folder / "order.sql"
    drawn = {name: f":{name}" for name in DRAWN}
    statement = WRITE.format(**drawn, side="CASE WHEN :bid = 1 THEN 'bid' ELSE 'ask' END")
    script.write_text(f"{SCRIPT}{_one_line(statement)};\n", encoding="utf-8")
    parts = urlsplit(world.postgres.url)
    connection = {
        "PGHOST": parts.hostname,
        "PGPORT": parts.port,
        "PGUSER": parts.username,
        "PGPASSWORD": parts.password,
    }
    known = {name: str(value) for name, value in connection.items()}
    variables = [word for name, value in limits.items() for word in ("-D", f"{name}={value}")]
    command = [
        "pgbench", "--no-vacuum", "--protocol=prepared", f"--client={clients}", f"--jobs={min(clients, 2)}",
        f"--time={seconds}", f"--random-seed={seed}", *variables, "-f", str(script), parts.path.lstrip("/"),
    ]  # fmt: skip
    done = subprocess.run(command, env=os.environ | known, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"pgbench failed: {done.stderr.strip()}")
    return parsed_rate(done.stdout)


def parsed_rate(output: str) -> float:
    """Transactions a second, as pgbench prints them. Raises ValueError."""
    match = re.search(r"^tps = ([\d.]+)", output, re.MULTILINE)
    if match is None:
        raise ValueError(f"pgbench printed no rate: {output!r}")
    return float(match[1])


def _psycopg(world: World, limits: dict[str, int], clients: int, seconds: int) -> float:
    processes = min(4, clients)
    wanted = {**limits, "url": world.postgres.url, "clients": clients // processes, "seconds": seconds}
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "bench.baselines.storage_loop", json.dumps({**wanted, "seed": n})],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(processes)
    ]
    return sum(float(process.communicate()[0]) for process in running)


def _one_line(statement: str) -> str:
    return " ".join(statement.split())


def prepared_statement() -> str:
    """The same statement with psycopg's placeholders."""
    drawn = {name: f"%({name})s" for name in (*DRAWN, "side")}
    return WRITE.format(**drawn)
