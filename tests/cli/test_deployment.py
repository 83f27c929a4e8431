"""What is shipped beside the code: no secret gets into an image or a commit, and none has a default."""

from __future__ import annotations

import re

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
