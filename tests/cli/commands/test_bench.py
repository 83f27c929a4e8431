"""`minex bench`: which parts there are, what it shows, and when it fails."""

from __future__ import annotations

import contextlib
import importlib
import json
from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from bench.figures import CannotMeasure, Figure, at_least, at_most
from bench.options import Options
from bench.run import PARTS
from cli.commands import bench as command_module

Measure = Callable[[Options], Iterator[Figure]]


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs the command with every part measured by the given stand-ins; what the tests have started is left alone."""
    monkeypatch.setattr(command_module, "nothing_left", contextlib.nullcontext)

    def run(*arguments: str, **parts: Measure) -> Result:
        for name, measure in parts.items():
            monkeypatch.setattr(f"bench.parts.{name}.measure", measure)
        return CliRunner().invoke(command_module.command, arguments, standalone_mode=False)

    return run


def slow(options: Options) -> Iterator[Figure]:
    yield Figure("rest", "of the bare endpoint", 0.3, "", at_least(0.22, 0.35, 0.5), "12 refused")


def crooked(options: Options) -> Iterator[Figure]:
    remark = "balances broker_id=1: cash is 5, should be 6"
    yield Figure("rest", "verify --replay", 2, "findings", at_most(0), remark, vital=True)


def impossible(options: Options) -> Iterator[Figure]:
    raise CannotMeasure("install wrk")
    yield


def broken(options: Options) -> Iterator[Figure]:
    raise TimeoutError("never happened: the backlog is matched")
    yield


@pytest.mark.parametrize("name", PARTS)
def test_every_part_can_be_measured(name: str) -> None:
    assert callable(importlib.import_module(f"bench.parts.{name}").measure)


def test_a_target_that_is_not_met_is_shown_and_changes_nothing(bench: Callable[..., Result]) -> None:
    done = bench("rest", rest=slow)
    assert done.return_value == 0
    assert "0.30" in done.stdout
    assert "≥ 0.22 · 0.35 · 0.5  1 of 3" in done.stdout
    assert "12 refused" in done.stdout


def test_books_that_do_not_balance_fail(bench: Callable[..., Result]) -> None:
    done = bench("rest", rest=crooked)
    assert done.return_value == 1
    assert "not met" in done.stdout
    assert done.stderr.splitlines()[-2:] == [
        "✗ These figures do not count:",
        "  rest: verify --replay: 2 findings (balances broker_id=1: cash is 5, should be 6)",
    ]


def test_a_part_that_breaks_fails_and_the_others_are_measured(bench: Callable[..., Result]) -> None:
    done = bench("rest", "batch", "--json", rest=broken, batch=slow)
    document = json.loads(done.stdout)
    assert done.return_value == 1
    assert document["broken"] == {"rest": "TimeoutError: never happened: the backlog is matched"}
    assert [figure["value"] for figure in document["figures"]] == [0.3]
    assert done.stderr.splitlines()[-1] == "  rest broke: TimeoutError: never happened: the backlog is matched"


def test_what_is_missing_is_said_and_fails_only_where_it_was_asked_for(bench: Callable[..., Result]) -> None:
    asked = bench("rest", "batch", rest=slow, batch=impossible)
    assert asked.return_value == 1
    assert "batch was not measured: install wrk" in asked.stderr
    all_parts = dict.fromkeys(PARTS, slow) | {"batch": impossible}
    assert bench(**all_parts).return_value == 0


def test_options_reach_the_parts(bench: Callable[..., Result]) -> None:
    given: list[Options] = []

    def note(options: Options) -> Iterator[Figure]:
        given.append(options)
        yield from slow(options)

    bench("rest", "--seconds", "3", "--stocks", "7", "--seed", "5", rest=note)
    bench("rest", "--quick", "--clients", "9", rest=note)
    assert (given[0].seconds, given[0].stocks, given[0].seed, given[0].clients) == (3, 7, 5, 1_000)
    assert (given[1].seconds, given[1].clients) == (2, 9)
    assert given[1].closed_orders < given[0].closed_orders
    assert not given[0].install_peers


def test_an_unknown_part_is_refused(bench: Callable[..., Result]) -> None:
    assert "is not one of" in str(bench("speed").exception)
