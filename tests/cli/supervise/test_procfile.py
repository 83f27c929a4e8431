"""Given a Procfile and settings, then these processes with these commands and addresses."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from cli.local.ports import address_of
from cli.supervise.procfile import ProcfileError, processes_of, read_procfile
from settings.loading import ROOT
from settings.processes import Match, Web
from settings.sections import Settings


def test_our_own_procfile_has_the_processes_of_the_design() -> None:
    commands = read_procfile(ROOT / "Procfile")
    assert {"web", "live", "match", "clock"} <= set(commands)
    assert commands["web"] == ("./minex", "run", "web")


def test_a_line_that_is_no_process_is_named(tmp_path: Path) -> None:
    file = tmp_path / "Procfile"
    file.write_text("# a comment\n\nweb: ./minex run web\nnonsense\n")
    with pytest.raises(ProcfileError, match="line 4"):
        read_procfile(file)


def test_match_runs_once_for_each_group_and_the_launcher_is_left_out() -> None:
    settings = dataclasses.replace(Settings(), match=Match(groups=("A", "B")), web=Web(host="::", port=8123))
    commands = {"web": ("./minex", "run", "web"), "match": ("./minex", "run", "match"), "other": ("sleep", "1")}
    processes = {process.name: process for process in processes_of(commands, settings, Path("/python"))}
    assert list(processes) == ["web", "match-A", "match-B", "other"]
    assert processes["web"].health_url == "http://127.0.0.1:8123/health"
    assert processes["match-B"].command == ("/python", "-m", "cli", "run", "match", "--group", "B")
    assert processes["other"].command == ("sleep", "1")
    assert processes["other"].health_url == ""


@pytest.mark.parametrize(
    ("host", "address"), [("", "127.0.0.1"), ("::", "127.0.0.1"), ("::1", "[::1]"), ("10.1.2.3", "10.1.2.3")]
)
def test_an_address_that_can_be_asked(host: str, address: str) -> None:
    assert address_of(Web(host=host, port=8000)) == f"http://{address}:8000"
