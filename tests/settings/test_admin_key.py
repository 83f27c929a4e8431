"""Given an administrator's key of one's own, when it cannot be sent or be guessed too soon, then one line says so."""

from pathlib import Path

import pytest

from settings.loading import load_settings
from settings.values import SettingsError

LONG = "k" * 32


def load(folder: Path, text: str = "", **environment: str) -> str:
    path = folder / "exchange.toml"
    path.write_text(text)
    return load_settings(path, environment).exchange.admin_key


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("a", "at least 16 characters, not 1"),
        ("k" * 15, "at least 16 characters, not 15"),
        ("k" * 300, "at most 256 characters, not 300"),
        ("kéy-that-is-long-enough", "printable ASCII"),
        ("a key that is long enough", "printable ASCII"),
        (f"{LONG}\n", "printable ASCII"),
        (f"{LONG}\x7f", "printable ASCII"),
        (" " * 40, "printable ASCII"),
    ],
)
def test_a_key_that_will_not_do_is_refused_wherever_it_is_given_and_never_shown(
    tmp_path: Path, key: str, expected: str
) -> None:
    with pytest.raises(SettingsError, match=f"^MINEX_ADMIN_KEY: expected {expected}") as refused:
        load(tmp_path, MINEX_ADMIN_KEY=key)
    assert "\n" not in str(refused.value)
    assert len(key) < 4 or key.strip() not in str(refused.value) or not key.strip()
    escaped = key.encode("unicode_escape").decode().replace("\\x", "\\u00")
    with pytest.raises(SettingsError, match=rf"^exchange.toml: \[exchange\] admin_key: expected {expected}"):
        load(tmp_path, f'[exchange]\nadmin_key = "{escaped}"\n')


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "exchange.example"])  # noqa: S104 - not bound
@pytest.mark.parametrize("section", ["WEB", "LIVE"])
def test_where_strangers_can_try_keys_it_is_longer(tmp_path: Path, host: str, section: str) -> None:
    variables = {f"MINEX_{section}_HOST": host}
    with pytest.raises(SettingsError, match=r"^MINEX_ADMIN_KEY: expected at least 32 characters, not 31"):
        load(tmp_path, MINEX_ADMIN_KEY="k" * 31, **variables)
    assert load(tmp_path, MINEX_ADMIN_KEY=LONG, **variables) == LONG
    assert load(tmp_path, **variables) == ""


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_on_this_machine_alone_sixteen_characters_will_do(tmp_path: Path, host: str) -> None:
    assert load(tmp_path, MINEX_ADMIN_KEY="k" * 16, MINEX_WEB_HOST=host) == "k" * 16
