"""Given a file of settings with secrets in it, then what others get to read says the same but for these."""

import tomllib
from pathlib import Path

from settings.loading import ROOT, load_settings
from settings.public_file import public_text

FILE = r'''
[exchange]
name = "It's \"Minex\" \\ of ü\t\u007F"
debug = true
admin_key = "mxadmin_secret_of_the_administrator"

[database]
url = "postgresql://minex:secret@host/minex"
owner_url = "postgresql://owner:secret@host/minex"
password = """
secret"""

[redis]
url = "redis://:secret@host"

[web]
port = 8123

[match]
groups = ["A", "B"]

[session]
mode = "daily"
holidays = ["2026-12-25"]

[session."late market"]
open = "12:00"
'''


def test_everything_but_secrets_is_kept(tmp_path: Path) -> None:
    (tmp_path / "all.toml").write_text(FILE)
    text = public_text(tmp_path / "all.toml")
    assert "secret" not in text
    wanted = tomllib.loads(FILE)
    del wanted["exchange"]["admin_key"]
    wanted["database"], wanted["redis"] = {}, {}
    assert tomllib.loads(text) == wanted


def test_our_own_file_reads_the_same(tmp_path: Path) -> None:
    public = tmp_path / "public.toml"
    public.write_text(public_text(ROOT / "exchange.toml"))
    assert load_settings(public, {}) == load_settings(ROOT / "exchange.toml", {})
