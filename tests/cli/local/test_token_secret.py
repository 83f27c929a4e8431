"""Given no secret for tokens, then one is made once and kept; another is made without logging anybody out."""

from __future__ import annotations

import dataclasses
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.commands.token_secret import command
from cli.local.token_secret import FILE, for_people, with_token_secret
from cli.terminal import CommandError
from machine.errors import NotOursError
from services.identity.people.tokens import Tokens
from settings.sections import Database, Exchange, Identity, Settings

GIVEN = "a_secret_of_ones_own_0123456789_abc"


def settings_in(folder: Path, **identity: object) -> Settings:
    return Settings(exchange=Exchange(data_folder=str(folder)), identity=Identity(**identity))  # type: ignore[arg-type]


def tokens_of(settings: Settings) -> Tokens:
    identity = settings.identity
    return Tokens(identity.token_secret, identity.previous_token_secret, 900)


def test_it_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    found = {with_token_secret(settings_in(tmp_path)).identity.token_secret for _ in range(3)}
    assert len(found) == 1
    assert len(found.pop()) >= 32
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_processes_that_start_at_once_make_one(tmp_path: Path) -> None:
    found: list[str] = []
    barrier = threading.Barrier(8)

    def run() -> None:
        barrier.wait()
        found.append(with_token_secret(settings_in(tmp_path)).identity.token_secret)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


def test_one_that_is_given_is_taken_and_none_is_made(tmp_path: Path) -> None:
    assert with_token_secret(settings_in(tmp_path, token_secret=GIVEN)).identity.token_secret == GIVEN
    assert not (tmp_path / FILE).exists()


def test_one_that_somebody_else_could_have_put_there_is_not_used(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("planted_by_somebody_else_0123456789\n")
    (tmp_path / FILE).chmod(0o666)
    with pytest.raises(NotOursError):
        with_token_secret(settings_in(tmp_path))


def test_another_one_logs_nobody_out_and_a_third_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINEX_DATA_FOLDER", str(tmp_path))
    now = datetime.now(UTC)
    token = tokens_of(with_token_secret(settings_in(tmp_path))).access(1, 2, now)
    seen = []
    for _ in range(2):
        command.main(["--new"], prog_name="token-secret", standalone_mode=False)
        seen.append(tokens_of(with_token_secret(settings_in(tmp_path))).read_access(token) is not None)
    assert seen == [True, False]
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_the_secret_is_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MINEX_DATA_FOLDER", str(tmp_path))
    secret = with_token_secret(settings_in(tmp_path)).identity.token_secret
    command.main([], prog_name="token-secret", standalone_mode=False)
    said = capsys.readouterr()
    assert secret not in said.out + said.err
    assert FILE in said.err
    monkeypatch.setenv("MINEX_IDENTITY_TOKEN_SECRET", GIVEN)
    with pytest.raises(CommandError, match="MINEX_IDENTITY_PREVIOUS_TOKEN_SECRET"):
        command.main(["--new"], prog_name="token-secret", standalone_mode=False)


@pytest.mark.parametrize(
    ("url", "said", "expected"),
    [("", None, True), ("postgresql://db/minex", None, False), ("", False, False), ("postgresql://db/m", True, True)],
)
def test_strangers_sign_up_to_our_own_servers_unless_something_is_said(
    tmp_path: Path, url: str, said: bool | None, expected: bool
) -> None:
    settings = dataclasses.replace(settings_in(tmp_path, signup=said), database=Database(url=url))
    assert for_people(settings).identity.signup is expected
