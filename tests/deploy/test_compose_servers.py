"""What the two servers' containers do at their start, for real: the shell's work, on the embedded programs."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
import yaml

from cli.doctor.powers import powers_of
from cli.local.prepare import bring_schema
from embedded.binaries import postgres_programs, valkey_program
from machine.account import Account
from queues.permissions import OPERATOR, PROCESSES, users_with
from settings.loading import ROOT, load_settings
from tests.embedded.test_postgres_roles import EarlierServer

COMPOSE = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
SERVICES = yaml.safe_load(COMPOSE)["services"]
USERS = ROOT / "deploy" / "redis-users.acl"
PATIENCE_SECONDS = 30

VALKEY_SERVER = """#!/bin/sh
# Stands where the image has the real one, which would listen on its usual port: notes how it was called.
echo "$*" >arguments
cat >configuration
"""


@pytest.mark.parametrize("password", ["plain", 'it\'s \\ %s :owner "$x"'])
def test_the_roles_of_compose_are_those_of_its_urls(
    make_server_folder: Callable[[], Path], password: str, tmp_path: Path
) -> None:
    """What the container of PostgreSQL runs in a new volume, by its psql, twice; then each role works."""
    scripts = re.findall(r"- \./(\S+):/docker-entrypoint-initdb\.d/", COMPOSE)
    places = {role: f"postgresql://minex_{role}@postgres:5432/minex" for role in ("owner", "process", "reader")}
    assert all(place in COMPOSE for place in places.values())
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
    """Runs what Valkey's container runs, with users from this file; instead of the server comes a note."""
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
