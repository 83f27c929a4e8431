"""What wrk and pgbench print is read as they mean it, and what they are given is what was asked for."""

from __future__ import annotations

import math
import random

import pytest

from bench.baselines.bare_server import bare_arguments, stock_arguments
from bench.baselines.storage import WRITE, parsed_rate, prepared_statement
from bench.baselines.storage_loop import drawn_order
from bench.loads.wrk import orders_script, parsed

FINE = """Running 3s test @ http://127.0.0.1:29401/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    16.53ms   10.79ms  88.93ms   70.06%
    Req/Sec     4.06k   312.70     4.62k    66.67%
  Latency Distribution
     50%  950.00us
     75%   22.49ms
     90%    1.20s\x20
     99%   49.45ms
  12123 requests in 3.00s, 2.87MB read
Requests/sec:   4039.10
Transfer/sec:      0.96MB
"""

TROUBLED = """  1000 requests in 500.00ms, 1.00MB read
  Socket errors: connect 1, read 2, write 3, timeout 4
  Non-2xx or 3xx responses: 90
"""


def test_what_wrk_prints() -> None:
    load = parsed(FINE)
    assert (load.answers, load.failed, load.seconds) == (12_123, 0, 3.0)
    assert load.good_per_second == pytest.approx(4041)
    assert load.latency == pytest.approx({"50": 0.95, "75": 22.49, "90": 1200.0, "99": 49.45})


def test_refusals_and_lost_answers_are_no_good_answers() -> None:
    load = parsed(TROUBLED)
    assert load.failed == 100
    assert load.good_per_second == 1800
    assert all(math.isnan(one) for one in load.latency.values())


def test_silence_is_an_error() -> None:
    with pytest.raises(ValueError, match="no result"):
        parsed("unable to connect to 127.0.0.1:1")
    with pytest.raises(ValueError, match="no rate"):
        parsed_rate("pgbench (15.18)")


def test_what_pgbench_prints() -> None:
    assert parsed_rate("latency average = 1.2 ms\ntps = 12713.525 (without initial connection time)\n") == 12713.525


def test_a_batch_goes_to_the_endpoint_for_batches() -> None:
    script = orders_script(["A", "B"], ["key"], batch=100, middle=10_000, spread=20, seed=3)
    assert 'local symbols, keys, batch = {"A","B"}, {"key"}, 100' in script
    assert "{{" not in script
    assert "/api/v1/orders/batch" in script


def test_the_bare_endpoint_runs_under_the_command_line_of_the_exchange() -> None:
    web = ["python", "-m", "gunicorn", "--bind", "127.0.0.1:1", "--worker-class", "some.Worker", "wsgi:app"]
    expected = ["gunicorn", "--bind", "127.0.0.1:2", "--worker-class", "some.Worker", "bench.baselines.bare:app"]
    assert bare_arguments(web, 2) == expected


def test_the_stock_server_has_as_many_processes_and_nothing_else_of_ours():
    web = ["python", "-m", "gunicorn", "--worker-class", "some.Worker", "--workers", "3", "--threads", "9", "wsgi:app"]
    arguments = stock_arguments(web, 2)
    assert arguments[arguments.index("--workers") + 1] == "3"
    assert arguments[arguments.index("--worker-class") + 1] == "gevent"
    assert "9" not in arguments and "some.Worker" not in arguments


def test_both_load_generators_write_the_same_rows() -> None:
    drawn = drawn_order(
        random.Random(1), {"first_stock": 2, "last_stock": 3, "reference": 100, "first_broker": 1, "last_broker": 9}
    )
    assert prepared_statement() % {name: name for name in drawn} == WRITE.format(**{name: name for name in drawn})
    assert drawn["asset"] in (1, drawn["stock"])
    assert drawn["amount"] in (drawn["quantity"], drawn["quantity"] * drawn["price"])
