"""Closed-loop load from outside Python: wrk, with a script made for the run."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

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

INSTALL = "wrk makes the load; install it with your system's packages, for example `apt-get install wrk`."


class NoLoad(Exception):
    """There is nothing on this machine to make the load with."""


@dataclass(frozen=True)
class Load:
    """What wrk counted: answers a second, and how many were not 2xx or got none."""

    per_second: float
    answers: int
    failed: int
    latency: dict[str, str]


def orders_script(
    symbols: Sequence[str], keys: Sequence[str], *, batch: int = 1, middle: int, spread: int, seed: int = 1
) -> str:
    """A wrk script of random orders: uniform over symbols, brokers, sides and the prices around the middle."""
    return ORDERS.format(symbols=_lua(symbols), keys=_lua(keys), batch=batch, middle=middle, spread=spread, seed=seed)


def run_wrk(url: str, seconds: int, connections: int, script: str | None, folder: Path) -> Load:
    """Keep `connections` busy for `seconds`. Raises NoLoad where there is no wrk."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise NoLoad(INSTALL)
    arguments = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "--latency"]
    if script is not None:
        path = folder / "load.lua"
        path.write_text(script, encoding="utf-8")
        arguments += ["-s", str(path)]
    done = subprocess.run([*arguments, url], capture_output=True, text=True, check=True)
    return _parsed(done.stdout)


def _parsed(output: str) -> Load:
    answers = int(_found(r"(\d+) requests in", output) or 0)
    refused = int(_found(r"Non-2xx or 3xx responses: (\d+)", output) or 0)
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    broken = sum(int(one) for one in errors.groups()) if errors else 0
    latency = dict(re.findall(r"^\s+(50|75|90|99)%\s+(\S+)$", output, re.MULTILINE))
    return Load(float(_found(r"Requests/sec:\s+([\d.]+)", output) or 0), answers, refused + broken, latency)


def _found(pattern: str, output: str) -> str | None:
    match = re.search(pattern, output)
    return match[1] if match else None


def _lua(words: Sequence[str]) -> str:
    return "{" + ",".join(f'"{word}"' for word in words) + "}"
