"""What is shipped beside the code: no secret gets into an image or a commit, and containers can do little but work.

No container is started here. What a shell does in one is tried for real, on the embedded Valkey.
"""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml

from cli.local.powers import powers_of
from cli.local.prepare import bring_schema
from embedded.account import Account
from embedded.binaries import postgres_programs, valkey_program
from queues.permissions import OPERATOR, PROCESSES, users_with
from settings.loading import ROOT, load_settings
from tests.embedded.test_postgres_roles import EarlierServer

COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
USERS = ROOT / "deploy" / "redis-users.acl"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
BY_DIGEST = re.compile(r"[\w./-]+:[\w.-]*\d[\w.-]*@sha256:[0-9a-f]{64}")
PATIENCE_SECONDS = 30

VALKEY_SERVER = """#!/bin/sh
# Stands where the image has the real one, which would listen on its usual port: notes how it was called.
echo "$*" >arguments
cat >configuration
"""


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


@pytest.mark.parametrize("password", ["plain", 'it\'s \\ %s :owner "$x"'])
def test_the_roles_of_compose_are_those_of_its_urls(
    make_server_folder: Callable[[], Path], password: str, tmp_path: Path
) -> None:
    """What the container of PostgreSQL runs in a new volume, by its psql, twice; then each role works."""
    text = (ROOT / "docker-compose.yml").read_text()
    scripts = re.findall(r"- \./(\S+):/docker-entrypoint-initdb\.d/", text)
    places = {role: f"postgresql://minex_{role}@postgres:5432/minex" for role in ("owner", "process", "reader")}
    assert all(place in text for place in places.values())
    with EarlierServer(make_server_folder() / "postgres", settings={"fsync": "off", "log_statement": "all"}) as server:
        passwords = {f"{role.upper()}_PASSWORD": f"{password} of {role}" for role in places}
        for _ in range(2):
            command = [str(postgres_programs(server.account) / "psql"), "--dbname", server.url]
            command += [argument for script in scripts for argument in ("--file", str(ROOT / script))]
            done = subprocess.run(command, env=passwords, capture_output=True, text=True, check=False)
            assert (done.returncode, done.stderr) == (0, "")
        variables = {
            "MINEX_DATABASE_URL": places["process"],
            "MINEX_DATABASE_PASSWORD": passwords["PROCESS_PASSWORD"],
            "MINEX_DATABASE_OWNER_URL": places["owner"],
            "MINEX_DATABASE_OWNER_PASSWORD": passwords["OWNER_PASSWORD"],
            "MINEX_DATABASE_READER_URL": places["reader"],
            "MINEX_DATABASE_READER_PASSWORD": passwords["READER_PASSWORD"],
        }
        here = {key: value.replace("@postgres:5432", f"@127.0.0.1:{server.port}") for key, value in variables.items()}
        (tmp_path / "exchange.toml").write_text("")
        settings = load_settings(tmp_path / "exchange.toml", here)
        bring_schema(settings)
        roles = [powers_of(url) for url in (settings.database.url, settings.database.reader)]
        assert [str(role) for role in roles] == ["minex_process writes rows, reads rows", "minex_reader reads rows"]
        assert password not in server.log_file.read_text()


@pytest.fixture(params=["plain", "with 'all' \"kinds\" \\ of $HOME `signs` # & %s / and ü;"])
def passwords(request: pytest.FixtureRequest) -> dict[str, str]:
    """By user, of characters that need no quotes and that need all of them."""
    return {name: f"{request.param}, {name}'s" for name in (OPERATOR, *PROCESSES)}


@pytest.fixture
def container(tmp_path: Path, passwords: dict[str, str]) -> Callable[[Path], subprocess.CompletedProcess[bytes]]:
    """Runs the command of Valkey's container with users from this file; where the image has the server stands a note."""
    stand_in = tmp_path / "valkey-server"
    stand_in.write_text(VALKEY_SERVER)
    stand_in.chmod(0o755)
    variables = {"VALKEYCLI_AUTH": passwords[OPERATOR]} | {name.upper(): passwords[name] for name in PROCESSES}
    assert set(variables) == set(SERVICES["valkey"]["environment"])

    def run(users: Path) -> subprocess.CompletedProcess[bytes]:
        command = [
            argument.replace("$$", "$").replace("/etc/redis-users.acl", str(users))
            for argument in SERVICES["valkey"]["command"]
        ]
        environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": "/nowhere"} | variables
        return subprocess.run(command, env=environment, cwd=tmp_path, check=False, capture_output=True)

    return run


@pytest.fixture
def address(container: Callable[[Path], subprocess.CompletedProcess[bytes]], tmp_path: Path) -> Iterator[str]:
    """The Unix socket of the real Valkey with what the container's command gives to it."""
    assert container(USERS).returncode == 0
    assert (tmp_path / "arguments").read_text() == "-\n"
    configuration = (tmp_path / "configuration").read_text()
    address = str(tmp_path / "socket")
    with subprocess.Popen([valkey_program(Account()), "-"], cwd=tmp_path, stdin=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        server.stdin.write(f"{configuration}port 0\nunixsocket {address}\n")
        server.stdin.close()
        end = time.monotonic() + PATIENCE_SECONDS
        while not Path(address).exists():
            assert server.poll() is None
            assert time.monotonic() < end
            time.sleep(0.01)
        yield address
        server.terminate()


def test_valkey_lets_in_whoever_has_a_password_of_any_characters(address: str, passwords: dict[str, str]) -> None:
    with redis.Redis(unix_socket_path=address, username=OPERATOR, password=passwords[OPERATOR]) as operator:
        assert set(operator.acl_users()) == {"default", OPERATOR, *PROCESSES}
        assert operator.config_get("appendonly", "save") == {"appendonly": "yes", "save": ""}
    for name in PROCESSES:
        with redis.Redis(unix_socket_path=address, username=name, password=passwords[name]) as process:
            assert process.ping()
            with pytest.raises(redis.exceptions.NoPermissionError):
                process.config_get("maxclients")
    with redis.Redis(unix_socket_path=address) as stranger, pytest.raises(redis.AuthenticationError):
        stranger.ping()


def test_without_its_users_valkey_does_not_start(
    container: Callable[[Path], subprocess.CompletedProcess[bytes]], tmp_path: Path
) -> None:
    assert container(tmp_path / "missing").returncode != 0
    assert not (tmp_path / "arguments").exists()


def test_the_users_of_compose_are_those_of_the_embedded_server() -> None:
    """Where this fails after a change of `queues.permissions`: write `expected` into the file."""
    expected = users_with({name: f"<{name}>" for name in (OPERATOR, *PROCESSES)})
    assert USERS.read_text(encoding="utf-8").splitlines() == expected


@pytest.mark.parametrize("name", PROCESSES)
def test_each_process_of_compose_is_a_user_of_its_own(name: str) -> None:
    variables = SERVICES[name]["environment"]
    assert variables["MINEX_REDIS_URL"] == f"redis://{name}@valkey:6379/0"
    assert variables["MINEX_REDIS_PASSWORD"].startswith(f"${{REDIS_{name.upper()}_PASSWORD:?")
