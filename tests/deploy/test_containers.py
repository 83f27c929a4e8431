"""What is shipped beside the code: no secret gets into an image or a commit, and containers can do little but work.

No container is started here.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from settings.loading import ROOT

COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
BY_DIGEST = re.compile(r"[\w./-]+:[\w.-]*\d[\w.-]*@sha256:[0-9a-f]{64}")


def test_a_file_with_secrets_is_neither_committed_nor_copied() -> None:
    for name in (".gitignore", ".dockerignore"):
        ignored = (ROOT / name).read_text().splitlines()
        assert {".env", ".env.*"} <= set(ignored), name


def test_no_password_has_a_default() -> None:
    text = COMPOSE.read_text()
    used = re.findall(r"\$\{(\w*PASSWORD)(.*?)\}", text)
    assert len(used) >= 4
    assert [name for name, rest in used if not rest.startswith(":?")] == []
    assert re.findall(r"://[^\s@]*:[^\s@/]*@", text) == []


def test_no_command_line_has_a_secret() -> None:
    for name, service in SERVICES.items():
        said = [
            service.get("command", ""),
            service.get("entrypoint", ""),
            service.get("healthcheck", {}).get("test", ""),
        ]
        assert not re.search(r"(?<!\$)\$\{?\w*(PASSWORD|KEY|SECRET)", str(said)), name


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_can_do_little_else_than_work(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["pids_limit"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_is_no_roots(name: str) -> None:
    service = SERVICES[name]
    if "build" in service:
        last = re.findall(r"^USER (\S+)$", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)[-1]
        assert int(last) > 0
        assert "user" not in service
    else:
        assert service["user"] not in ("root", "0")


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_that_stays_says_whether_it_is_well(name: str) -> None:
    service = SERVICES[name]
    assert ("test" in service.get("healthcheck", {})) == (service["restart"] != "no")


def test_images_are_named_by_what_is_in_them() -> None:
    foreign = [service["image"] for service in SERVICES.values() if "build" not in service]
    foreign += re.findall(r"^FROM (\S+)", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(foreign) == 3
    assert [image for image in foreign if not BY_DIGEST.fullmatch(image)] == []


def test_every_process_of_the_procfile_has_its_container() -> None:
    processes = re.findall(r"^(\w+): \./minex (.+)$", (ROOT / "Procfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert processes
    for name, command in processes:
        assert SERVICES[name]["command"][:2] == command.split()


def test_a_worker_beats_where_its_health_check_looks() -> None:
    (folder,) = re.findall(r"MINEX_HEARTBEATS=(\S+)", DOCKERFILE.read_text(encoding="utf-8"))
    for name in ("match", "clock"):
        assert SERVICES[name]["healthcheck"]["test"] == ["CMD", "python", "-m", "cli", "alive"]
        assert str(Path(folder).parent) in SERVICES[name]["tmpfs"]
