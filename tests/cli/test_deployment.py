"""What is shipped beside the code: no secret gets into an image or a commit, and none has a default."""

from __future__ import annotations

import os
import re
import subprocess
import textwrap
from pathlib import Path

import psutil
import pytest
import redis
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from embedded.account import Account
from embedded.binaries import valkey_program
from embedded.ports import random_free_port
from settings.loading import ROOT


def test_a_file_with_secrets_is_neither_committed_nor_copied() -> None:
    for name in (".gitignore", ".dockerignore"):
        ignored = (ROOT / name).read_text().splitlines()
        assert {".env", ".env.*"} <= set(ignored), name


def test_no_password_has_a_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    used = re.findall(r"\$\{(\w*PASSWORD)(.*?)\}", text)
    assert len(used) >= 4
    assert [name for name, rest in used if not rest.startswith(":?")] == []
    assert re.findall(r"://[^\s@]*:[^\s@/]*@", text) == []


@pytest.mark.parametrize("password", ["plain", "a\"b\\c d$e`f'g", "#x", "%s"])
def test_redis_of_compose_gets_its_password_by_standard_input(tmp_path: Path, password: str) -> None:
    """The command as the container runs it, but for the program and the port."""
    text = (ROOT / "docker-compose.yml").read_text()
    found = re.search(r"      - \|\n((?:        .*\n)*?        END\n)", text)
    assert found
    script = textwrap.dedent(found[1]).replace("$$", "$")
    port, program = random_free_port(), valkey_program(Account())
    entry = tmp_path / "docker-entrypoint.sh"
    entry.write_text(f'#!/bin/sh\nshift\nexec {program} "$@" --port {port} --dir {tmp_path}\n')
    entry.chmod(0o700)
    known = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "REDISCLI_AUTH": password}
    server = subprocess.Popen(["sh", "-c", script], env=known, stdout=subprocess.DEVNULL)
    client = redis.Redis(port=port, password=password, retry=Retry(ExponentialBackoff(), 50))
    try:
        assert client.ping()
        assert password not in " ".join(psutil.Process(server.pid).cmdline())
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=port).ping()
    finally:
        client.close()
        server.terminate()
        server.wait()
