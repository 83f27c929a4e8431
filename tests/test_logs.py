"""The log: one entry a line, whatever is in it."""

import io
import json
import logging
import subprocess
import sys

import pytest
from structlog.contextvars import bound_contextvars

from logs import JsonLines, StrayLines, TextLines, start_logging
from settings.loading import ROOT
from settings.sections import Log


def entry(message, *values, error=None):
    trace = (type(error), error, None) if error else None
    return logging.LogRecord("api.trading.orders", logging.WARNING, "orders.py", 1, message, values, trace)


def test_an_entry_is_one_line_of_text():
    line = TextLines().format(entry("%d orders", 5))
    assert line.endswith(" WARNING api.trading.orders: 5 orders")


@pytest.mark.parametrize("forged", ["a\nERROR b", "a\r\nb", "\x1b[31mred", "a\u2028b", "\x9b31m"])
def test_input_cannot_forge_a_line_or_colour_the_terminal(forged):
    line = TextLines().format(entry("unknown symbol %s", forged))
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 or character == "\u2028" for character in line)
    assert len(JsonLines().format(entry("%s", forged)).splitlines()) == 1


def test_json_entries_carry_the_same():
    found = json.loads(JsonLines().format(entry("%d orders", 5, error=ValueError("no"))))
    assert found["level"] == "warning"
    assert (found["logger"], found["message"]) == ("api.trading.orders", "5 orders")
    assert "ValueError: no" in found["trace"]


def test_what_is_bound_goes_along_and_replaces_nothing():
    with bound_contextvars(request_id="7f", path="/orders", level="forged", logger="forged", message="forged"):
        found = json.loads(JsonLines().format(entry("broke", error=ValueError("no"))))
        line, *trace = TextLines().format(entry("broke", error=ValueError("no"))).split("\n")
    assert [*found][:4] == ["time", "level", "logger", "message"]
    assert {*[*found][4:-1]} == {"request_id", "path"}
    assert [*found][-1] == "trace"
    assert "forged" not in found.values()
    assert line.endswith(" WARNING api.trading.orders: broke [request_id=7f]")
    assert all(one.startswith("    ") for one in trace)
    assert "7f" not in TextLines().format(entry("after it"))


@pytest.mark.parametrize("forged", ["a\nERROR b", "a\r\nb", "\x1b[31mred", "a\u2028b", "\x9b31m"])
def test_nor_can_what_is_bound(forged):
    with bound_contextvars(request_id=forged, sid=forged, path=forged):
        line, as_json = TextLines().format(entry("broke")), JsonLines().format(entry("broke"))
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 or character == "\u2028" for character in line)
    assert len(as_json.splitlines()) == 1
    assert json.loads(as_json)["path"] == forged


def test_what_passes_by_the_log_says_of_which_request_it_is():
    written = io.StringIO()
    with bound_contextvars(request_id="7f"):
        StrayLines(written).write("old\n")
    assert json.loads(written.getvalue())["request_id"] == "7f"


def test_a_traceback_stays_below_its_entry():
    lines = TextLines().format(entry("broke", error=ValueError("a\nb"))).split("\n")
    assert all(line.startswith("    ") for line in lines[1:])
    assert "ValueError: a" in lines[1]


def test_the_level_is_the_configured_one(capsys):
    root = logging.getLogger()
    kept, hook = (root.handlers[:], root.level), sys.excepthook
    try:
        start_logging(Log(level="warning"))
        logging.getLogger("x").info("quiet")
        logging.getLogger("x").warning("loud")
    finally:
        root.handlers[:], root.level = kept[0], kept[1]
        sys.excepthook = hook
    assert "loud" in (heard := capsys.readouterr().err)
    assert "quiet" not in heard


def test_as_json_what_passes_by_the_log_becomes_entries(tmp_path):
    program = (
        "import sys, warnings, threading; from logs import start_logging; from settings.sections import Log\n"
        "start_logging(Log(format='json')); start_logging(Log(format='json'))\n"
        "print('half', file=sys.stderr, end=''); print(' a line', file=sys.stderr)\n"
        "warnings.warn('old', DeprecationWarning)\n"
        "thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()\n"
        "raise ValueError('the end')\n"
    )
    command = [sys.executable, "-W", "always", "-c", program]
    done = subprocess.run(command, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    entries = [json.loads(line) for line in done.stderr.splitlines()]
    messages = [entry["message"] for entry in entries]
    assert messages[0] == "half a line"
    assert any("DeprecationWarning: old" in message for message in messages)
    assert any("ZeroDivisionError" in message for message in messages)
    assert entries[-1]["level"] == "critical"
    assert "ValueError: the end" in entries[-1]["trace"]
    assert done.returncode == 1
