"""One order a request against a bare Flask endpoint under the same server, in one run.

    python -m bench.rest [--seconds 10] [--stocks 450] [--brokers 100]

Prints a line for each load: answers a second, their ratio to the bare endpoint, what was left unmatched at the end,
and milliseconds from acceptance to the commit that settled. Fails if an order stays unmatched or `verify` is not clean.
"""

from __future__ import annotations

import argparse
import sys
import time

from bench.load import Load, orders_script, run_wrk
from bench.world import REFERENCE, World, until
from embedded.ports import is_free, random_free_port

CONNECTIONS = (16, 64)
SPREAD = 20
"""Cents around the reference price: about half of the orders meet another."""

BARE = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"document_number":"52998","side":"bid","symbol":"S0001","quantity":100,"price":10000}'
"""

SETTLED = """
    SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (
        ORDER BY extract(epoch FROM pg_xact_commit_timestamp(xmin) - created_at) * 1000)
    FROM commands WHERE id > :after AND sequence IS NOT NULL
"""


def main() -> int:
    """Run, print, and say by the exit status whether everything was matched and the books balance."""
    options = _options()
    with World(options.stocks, options.brokers) as world:
        bare = _bare(world, options.seconds)
        print(f"bare endpoint, 64 connections: {bare.per_second:.0f}/s")
        world.open()
        script = orders_script(
            [*world.symbols], [one.api_key for one in world.traders], middle=REFERENCE, spread=SPREAD
        )
        for connections in CONNECTIONS:
            _measure(world, options.seconds, connections, script, bare)
        clean = world.verify(replay=True)
        print(f"verify --replay: {'clean' if clean else 'BROKEN'}")
        return 0 if clean and not world.backlog() else 1


def _measure(world: World, seconds: int, connections: int, script: str, bare: Load) -> None:
    before = world.scalar("SELECT coalesce(max(id), 0) FROM commands")
    load = run_wrk(world.url, seconds, connections, script, world.folder)
    backlog = world.backlog()
    drained = world.drain()
    ((settled,),) = world.rows(SETTLED, after=before)
    print(
        f"orders, {connections} connections: {load.per_second:.0f}/s, {load.per_second / bare.per_second:.2f} of bare, "
        f"{load.failed} failed; backlog {backlog}, gone after {drained:.1f} s; "
        f"accepted to settled p50 {settled[0]:.0f} ms, p99 {settled[1]:.0f} ms"
    )


def _bare(world: World, seconds: int) -> Load:
    """The ceiling: the same server, worker class, processes and threads, and an endpoint that does nothing."""
    port = random_free_port()
    web = world.settings.web
    process = world.processes.start_module(
        "bare", "gunicorn", "--bind", f"127.0.0.1:{port}", "--worker-class", "api.http_worker.Worker",
        "--workers", str(web.processes), "--threads", str(web.threads), "--keep-alive", "75", "--no-control-socket",
        "bench.bare:app",
    )  # fmt: skip
    try:
        until(lambda: not is_free(port), "the bare endpoint is up")
        time.sleep(1)
        return run_wrk(f"http://127.0.0.1:{port}/", seconds, 64, BARE, world.folder)
    finally:
        process.kill()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--stocks", type=int, default=450)
    parser.add_argument("--brokers", type=int, default=100)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
