"""Given settings for people, then what could be guessed stops the start, and nothing is said is nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from settings.loading import load_settings, variables_of
from settings.roles import for_process
from settings.sections import Identity
from settings.values import SettingsError

GOOD = "a_secret_of_ones_own_0123456789_abc"


def load(folder: Path, text: str = "", **environment: str) -> Identity:
    path = folder / "exchange.toml"
    path.write_text(text)
    return load_settings(path, environment).identity


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        ("s" * 31, "32 to 256 characters, not 31"), ("secret", "32 to 256 characters, not 6"),
        ("ab" * 129, "32 to 256 characters, not 258"), ("s" * 40, "not one again and again"),
        ("a secret with blanks in it, long enough", "printable ASCII"), ("é" * 40, "printable ASCII"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("key", ["token_secret", "previous_token_secret"])
def test_a_secret_that_is_guessed_refuses_to_start_and_is_never_shown(
    tmp_path: Path, key: str, secret: str, expected: str
) -> None:
    variable = f"MINEX_IDENTITY_{key.upper()}"
    with pytest.raises(SettingsError, match=f"^{variable}: expected .*{expected}") as refused:
        load(tmp_path, **{variable: secret})
    assert len(secret) < 10 or secret not in str(refused.value)
    with pytest.raises(SettingsError, match=rf"^exchange.toml: \[identity\] {key}: expected .*{expected}"):
        load(tmp_path, f'[identity]\n{key} = "{secret}"\n')


def test_only_those_who_read_tokens_know_the_secrets(tmp_path: Path) -> None:
    path = tmp_path / "exchange.toml"
    path.write_text("")
    secrets = {"MINEX_IDENTITY_TOKEN_SECRET": GOOD, "MINEX_IDENTITY_PREVIOUS_TOKEN_SECRET": GOOD[::-1]}
    settings = load_settings(path, secrets)
    for name, knows in (("web", True), ("live", True), ("match-A", False), ("clock", False)):
        values = " ".join(variables_of(for_process(settings, name)).values())
        assert (GOOD in values) is (GOOD[::-1] in values) is knows, name


@pytest.mark.parametrize(("text", "expected"), [("", None), ("signup = true", True), ("signup = false", False)])
def test_whether_strangers_sign_up_may_be_left_open(tmp_path: Path, text: str, expected: bool | None) -> None:
    found = load(tmp_path, f"[identity]\n{text}\n")
    assert found.signup is expected
    path = tmp_path / "exchange.toml"
    handed_on = variables_of(load_settings(path, {}))
    assert ("MINEX_IDENTITY_SIGNUP" in handed_on) is (expected is not None)
    path.write_text("")
    assert load_settings(path, handed_on).identity.signup is expected


@pytest.mark.parametrize("word", ["PETR4", "PETR4:", "PETR4:0", "PETR4:-1", "PETR4:x", ":100", "P TR:1", "A:1:2"])
def test_shares_to_begin_with_are_symbols_and_numbers(tmp_path: Path, word: str) -> None:
    with pytest.raises(SettingsError, match="symbols with shares, such as PETR4:100"):
        load(tmp_path, f'[identity]\nsignup_positions = ["{word}"]\n')
    assert load(tmp_path, MINEX_IDENTITY_SIGNUP_POSITIONS="PETR4:100,VALE3:5").signup_positions == (
        "PETR4:100", "VALE3:5",
    )  # fmt: skip
