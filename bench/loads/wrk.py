"""Closed-loop load from outside Python: wrk, with a script made for the run."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.figures import CannotMeasure

ORDERS = """
local symbols, keys, batch = {symbols}, {keys}, {batch}
local middle, spread = {middle}, {spread}

function setup(thread)
  thread:set("seed", counter)
  counter = counter + 1
end
counter = {seed}

function init(args)
  math.randomseed(seed)
end

local function order()
  local side = math.random(2) == 1 and "bid" or "ask"
  return string.format(
    '{{"document_number":"%d","side":"%s","symbol":"%s","quantity":%d,"price":%d}}',
    math.random(100000), side, symbols[math.random(#symbols)], math.random(100) * 10,
    middle + math.random(-spread, spread))
end

function request()
  local headers = {{["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. keys[math.random(#keys)]}}
  if batch == 1 then
    return wrk.format("POST", "/api/v1/orders", headers, order())
  end
  local orders = {{}}
  for n = 1, batch do orders[n] = order() end
  return wrk.format("POST", "/api/v1/orders/batch", headers, '{{"orders":[' .. table.concat(orders, ",") .. ']}}')
end
"""

MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1_000.0, "m": 60_000.0, "h": 3_600_000.0}
"""wrk's units of time."""

NO_LATENCY = dict.fromkeys(("50", "75", "90", "99"), float("nan"))
"""Of a load that got no answer."""

INSTALL = "wrk makes the load; install it with your system's packages: apt-get install wrk, brew install wrk"


@dataclass(frozen=True)
class Load:
    """wrk's counts: answers of all kinds, how many were not 2xx or never came, and how long it took."""

    answers: int
    failed: int
    seconds: float
    latency: dict[str, float]
    """Milliseconds from request to answer, by percentile ("50", "75", "90", "99")."""

    @property
    def good_per_second(self) -> float:
        """Answers a second that were 2xx."""
        return max(0, self.answers - self.failed) / self.seconds if self.seconds else 0.0


def orders_script(
    symbols: Sequence[str], keys: Sequence[str], *, batch: int = 1, middle: int, spread: int, seed: int = 1
) -> str:
    """A wrk script of random orders: uniform over symbols, brokers, sides and the prices around the middle."""
    return ORDERS.format(symbols=_lua(symbols), keys=_lua(keys), batch=batch, middle=middle, spread=spread, seed=seed)


def run_wrk(url: str, seconds: int, connections: int, script: str, folder: Path) -> Load:
    """Keep `connections` busy for `seconds`; `folder` is for the script. Raises CannotMeasure where there is no wrk."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise CannotMeasure(INSTALL)
    path = folder / "load.lua"
    path.write_text(script, encoding="utf-8")
    arguments = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "--latency", "-s", str(path)]
    done = subprocess.run([*arguments, url], capture_output=True, text=True, check=True)
    return parsed(done.stdout)


def parsed(output: str) -> Load:
    """The counts that wrk printed. Raises ValueError where it printed no result."""
    result = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m|h)", output)
    if result is None:
        raise ValueError(f"wrk printed no result: {output!r}")
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    failed = (int(refused[1]) if refused else 0) + (sum(int(number) for number in errors.groups()) if errors else 0)
    latency = re.findall(r"^\s+(50|75|90|99)%\s+([\d.]+)(us|ms|s|m|h) *$", output, re.MULTILINE)
    return Load(
        answers=int(result[1]),
        failed=failed,
        seconds=float(result[2]) * MILLISECONDS[result[3]] / 1000,
        latency=NO_LATENCY | {share: float(value) * MILLISECONDS[unit] for share, value, unit in latency},
    )


def _lua(words: Sequence[str]) -> str:
    return "{" + ",".join(f'"{word}"' for word in words) + "}"
