"""Given a terminal of any width and a way to call us, then lines fit it and hints can be pasted."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cli.commands.status import command as status
from cli.commands.verify import _show_check
from cli.local.run_state import RunState, lock_of, write_state
from cli.main import COMMANDS
from cli.terminal import COMMAND, CommandError, as_called, counted, table
from services.verify import Check
from tests.cli.commands.test_commands import minex


@pytest.mark.parametrize(
    ("called", "shown"),
    [("./minex", "./minex up"), ("/opt/minex/minex", "/opt/minex/minex up"), ("minex", "minex up"), ("", "minex up")],
)
def test_a_hint_names_the_command_as_it_was_called(called: str, shown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINEX_COMMAND", called)
    assert CommandError("It does not run.", "minex up").text().splitlines()[1] == f"  {shown}"
    assert as_called("see /srv/minex up there, or `sudo minex down`") == (
        f"see /srv/minex up there, or `sudo {shown.removesuffix(' up')} down`"
    )


def test_what_the_shell_finds_by_its_name_is_called_by_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "minex"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("MINEX_COMMAND", str(program))
    assert as_called("minex up") == f"{program} up"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert as_called("minex up") == "minex up"


def test_every_command_is_known_to_hints() -> None:
    assert [name for name in COMMANDS if not COMMAND.search(f"minex {name}")] == []


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (("upp",), "up"),
        (("verfy",), "verify"),
        (("run", "webb"), "web"),
        (("stauts",), "status"),
        (("start",), "up"),
        (("stop",), "down"),
        (("help",), "--help"),
    ],
)
def test_a_word_that_is_nearly_a_command_or_means_one_gets_a_suggestion(arguments: tuple[str, ...], near: str) -> None:
    done = minex(*arguments)
    assert done.returncode == 2
    assert f"No such command '{arguments[-1]}'. Did you mean '{near}'?" in done.stderr


@pytest.mark.parametrize("columns", ["40", "80", "120"])
def test_lines_are_as_wide_as_the_terminal_at_most(
    columns: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    rows = [["a part of the bench", "a figure with quite a long name that says all there is to it", "12", "met"]]
    lines = table(["part", "what", "figure", "met"], rows).splitlines()
    finding = "balances broker_id=1 asset_id=1: available is 649995, should be 650000, and so on"
    _show_check(Check(1, "Orders are the sum of fair, settled trades, and more", 10**8, 1, [finding], 0.1))  # type: ignore[list-item]
    lines += capsys.readouterr().out.splitlines()
    least = 52  # the figures of verify themselves
    assert [line for line in lines if len(line) > max(int(columns), least)] == []
    assert "650000" in " ".join(lines)


def test_one_is_singular() -> None:
    assert [counted(n, "finding") for n in (0, 1, 1_234)] == ["0 findings", "1 finding", "1,234 findings"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_the_exchange_of_another_user_is_told_and_not_taken_for_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for place in (tmp_path, *tmp_path.parents):
        if place.stat().st_mode & 0o777 == 0o700:
            place.chmod(0o711)
    write_state(RunState(pid=os.getpid(), data_folder=str(tmp_path), state="running"))
    lock = lock_of(tmp_path)
    assert lock.take()
    os.seteuid(65534)
    try:
        with pytest.raises(CommandError, match="belongs to another user") as told:
            status.main(["--data-folder", str(tmp_path)], standalone_mode=False)
        code = status.main(["--json", "--data-folder", str(tmp_path)], standalone_mode=False)
    finally:
        os.seteuid(0)
        lock.release()
    assert (told.value.code, told.value.mend) == (1, ("sudo minex status",))
    assert (code, json.loads(capsys.readouterr().out)["state"]) == (1, "unknown")
