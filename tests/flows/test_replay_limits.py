"""A replay through an exchange with limits takes longer, and hits the same orders."""

import json
from dataclasses import replace

import pytest

from tests.flows.test_replay import by_trusted, written


@pytest.fixture(scope="module")
def settings(settings):
    """Limits that a replay runs into at once."""
    limits = replace(settings.limits, orders_per_second=10, cancels_per_second=2, reads_per_second=2)
    return replace(settings, limits=limits)


def test_a_replay_keeps_to_the_limits_and_goes_on(exchange, tmp_path):
    exchange.list("SLOW1", reference_price=5850)
    resting = [f"{n},1,{n},10,{585000 + 100 * n},-1" for n in range(1, 16)]
    taking = [f"{20 + n},4,{n},10,{585000 + 100 * n},-1" for n in range(1, 6)]
    done = by_trusted(exchange, written(tmp_path, "\n".join([*resting, *taking]) + "\n"), "--symbol", "SLOW1")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["executions"], report["executions_met"], report["verify"]) == (5, 5, "clean")
    exchange.verify()
