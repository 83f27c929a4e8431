"""What the project promises of its own shape."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.terms.codes import MESSAGES
from models import command, order
from models.accounts import transfer
from services import errors
from services.matching.journal import NEVER_MATCHED, engine_command
from services.verify.checks.fills import STATUS_HOLDS
from services.verify.checks.ledger import ENDS
from settings.loading import ROOT

PACKAGES = (
    "engine",
    "settings",
    "database",
    "models",
    "services",
    "queues",
    "serving",
    "api",
    "live",
    "workers",
    "cli",
    "machine",
    "embedded",
    "client",
    "simulator",
)
MONEY = ("engine", "models", "services")
"""Where cents and shares are computed."""

LONGEST_FILE = 200
"""Lines; most files have 60 to 150."""

MAY_SHOW_FRACTIONS = {
    "services/prices.py": "an average price for showing, from which nothing is computed",
    "services/verify/report.py": "the seconds that a check took",
}

NOT_CHECKED_BY_MYPY = {"tests", "mutants", "node_modules"}
"""Each line of a test runs; the others are made by tools."""

ENGINE_MAY_IMPORT = {
    *("__future__", "bisect", "collections", "dataclasses", "engine", "enum", "heapq", "itertools", "typing"),
}
"""Nothing that reads a clock, opens a file or rolls dice."""

MAY_READ_CLOCKS = {"services/verify/run.py": "how long a check took"}


def files(*packages: str) -> Iterator[tuple[str, str]]:
    """Every module of the packages: its path in the checkout, and its text."""
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")


def calls(text: str) -> Iterator[str]:
    """What a module calls, as written: `time.time`, `session.commit`."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def test_imports_go_one_way() -> None:
    program = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([str(program), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_package_is_held_to_the_contracts() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (held,) = re.findall(r"^root_packages = \[(.*)\]$", project, re.MULTILINE)
    assert set(PACKAGES) <= set(re.findall(r'"(\w+)"', held))


def test_types_are_checked_in_every_room() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    rooms = {path.name for path in ROOT.glob("[!.]*") if path.is_dir() and next(path.rglob("*.py"), None)}
    assert set(PACKAGES) < rooms
    assert {"*.py", *rooms} - set(project["tool"]["mypy"]["files"]) - NOT_CHECKED_BY_MYPY == set()


def test_a_file_has_one_subject() -> None:
    root = ((path.name, path.read_text(encoding="utf-8")) for path in ROOT.glob("*.py"))
    lengths = {name: len(text.splitlines()) for name, text in [*files(*PACKAGES), *root]}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_every_module_says_why_it_is_there() -> None:
    assert [name for name, text in files(*PACKAGES) if not ast.get_docstring(ast.parse(text))] == []


def test_what_is_public_is_documented() -> None:
    bare = [
        f"{name}: {node.name}"
        for name, text in files(*MONEY)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
        and not any(ast.unparse(decorator).endswith(("overload", ".setter")) for decorator in node.decorator_list)
        and not _is_inside_function(text, node)
    ]
    assert bare == []


def _is_inside_function(text: str, node: ast.AST) -> bool:
    functions = [one for one in ast.walk(ast.parse(text)) if isinstance(one, ast.FunctionDef)]
    return any(one.lineno < node.lineno <= (one.end_lineno or 0) for one in functions)  # type: ignore[attr-defined]


def test_money_is_never_a_fraction() -> None:
    found = [
        f"{name}:{node.lineno}"
        for name, text in files(*MONEY)
        if name not in MAY_SHOW_FRACTIONS
        for node in ast.walk(ast.parse(text))
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id in {"float", "Decimal"})
        or (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div))
    ]
    assert found == []


def test_the_engine_has_only_what_cannot_surprise_it() -> None:
    imported = {
        (name, module.split(".")[0])
        for name, text in files("engine")
        for node in ast.walk(ast.parse(text))
        for module in _modules(node)
    }
    assert {(name, module) for name, module in imported if module not in ENGINE_MAY_IMPORT} == set()


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) else []


def test_a_service_leaves_the_transaction_and_the_clock_to_its_caller() -> None:
    theirs = re.compile(r"\.(commit|rollback)$|(^|\.)(now|utcnow|today|monotonic|perf_counter|time|time_ns)$")
    found = [f"{name}: {call}" for name, text in files("services") for call in calls(text) if theirs.search(call)]
    assert [one for one in found if one.partition(":")[0] not in MAY_READ_CLOCKS] == []


def test_nothing_is_swallowed_or_left_for_later() -> None:
    swallowed = [
        f"{name}:{node.lineno}"
        for name, text in files(*PACKAGES)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ExceptHandler) and all(isinstance(one, ast.Pass) for one in node.body)
    ]
    assert swallowed == []
    assert [name for name, text in files(*PACKAGES) if re.search(r"\b(TODO|FIXME|XXX)\b", text)] == []


def test_every_kind_of_command_reaches_the_engine() -> None:
    terms = {"document": "1", "side": "bid", "type": "limit", "price": 1, "quantity": 1, "tif": "gtc"}
    payload = {**terms, "expire_at": None, "stp": None, "state": "open", "reason": None}
    for kind in command.KINDS:
        assert engine_command(kind, 1, 1, payload)
    with pytest.raises(ValueError, match="unknown kind"):
        engine_command("halt", 1, 1, payload)


def test_verify_knows_every_kind_of_transfer() -> None:
    assert set(re.findall(r"WHEN '(\w+)'", ENDS)) == set(transfer.KINDS)


def test_verify_knows_every_status_and_which_are_open() -> None:
    assert set(re.findall(r"WHEN '(\w+)'", STATUS_HOLDS)) == set(order.STATUSES)
    (still_open,) = re.findall(r"o\.status IN \((.*?)\)", STATUS_HOLDS)
    assert set(re.findall(r"\w+", still_open)) == set(order.OPEN_STATUSES)


def test_a_refusal_has_one_code_a_sentence_and_a_kind() -> None:
    kinds = errors.MarketError.__subclasses__()
    refusals = [refusal for kind in kinds for refusal in kind.__subclasses__()]
    codes = [refusal.code() for refusal in refusals]
    assert len(set(codes)) == len(codes) > 15
    assert all(re.fullmatch(r"[a-z_]+", code) for code in codes)
    assert all(refusal.message().endswith(".") for refusal in refusals)
    assert not NEVER_MATCHED & MESSAGES.keys(), "a code that says 'never matched' must not be the engine's own"
