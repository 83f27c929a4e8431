"""Given an exchange that strangers can reach, then it starts only when it is ready for them, or says what it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from settings.in_public import is_public, refuse_unsafe
from settings.loading import load_settings, variables_of
from settings.sections import Settings
from settings.values import SettingsError

EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing is bound

READY = {
    "MINEX_ADMIN_KEY": "an_administrators_key_of_its_own_0123",
    "MINEX_IDENTITY_TOKEN_SECRET": "a_secret_of_its_own_for_tokens_0123",
    "MINEX_LIVE_ORIGINS": "https://desk.example,https://www.desk.example",
    "MINEX_LIMITS_ORDERS_PER_SECOND": "100",
    "MINEX_LIMITS_CANCELS_PER_SECOND": "100",
    "MINEX_LIMITS_READS_PER_SECOND": "100",
    "MINEX_LIMITS_FAILURES_PER_MINUTE": "30",
}


def load(folder: Path, **variables: str) -> Settings:
    path = folder / "exchange.toml"
    path.write_text("")
    return load_settings(path, variables)


@pytest.mark.parametrize(
    "public", [{"MINEX_PUBLIC": "true"}, {"MINEX_WEB_HOST": EVERYWHERE}, {"MINEX_LIVE_HOST": "::"}]
)
def test_what_is_missing_is_named_and_no_secret_is_shown(tmp_path: Path, public: dict[str, str]) -> None:
    refuse_unsafe(load(tmp_path, **READY, **public))
    for name in READY:
        with pytest.raises(SettingsError, match=name) as refused:
            refuse_unsafe(load(tmp_path, **{key: value for key, value in {**READY, **public}.items() if key != name}))
        others = [other for other in READY if other != name and other in str(refused.value)]
        assert others == [], "what is there is not named"
        assert "0123" not in str(refused.value)
    with pytest.raises(SettingsError) as refused:
        refuse_unsafe(load(tmp_path, **public))
    assert all(name in str(refused.value) for name in READY)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MINEX_LIVE_ORIGINS", "http://desk.example"), ("MINEX_LIVE_ORIGINS", "https://a.example,http://b.example"),
        ("MINEX_LIMITS_ORDERS_PER_SECOND", "0"), ("MINEX_DEBUG", "true"),
        ("MINEX_WEBHOOKS_ALLOW_PRIVATE", "true"),
    ],
)  # fmt: skip
def test_what_is_not_safe_is_named(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        refuse_unsafe(load(tmp_path, **{**READY, "MINEX_PUBLIC": "true", name: value}))


def test_on_this_machine_alone_or_where_it_is_said_nothing_is_needed(tmp_path: Path) -> None:
    refuse_unsafe(load(tmp_path))
    private = load(tmp_path, MINEX_PUBLIC="false", MINEX_WEB_HOST=EVERYWHERE)
    refuse_unsafe(private)
    assert not is_public(private)
    assert is_public(load(tmp_path, MINEX_PUBLIC="true"))


def test_processes_see_the_same(tmp_path: Path) -> None:
    settings = load(tmp_path, **READY, MINEX_PUBLIC="true", MINEX_PROXIES="10.0.0.0/24,192.0.2.1")
    assert load(tmp_path, **variables_of(settings)) == settings
    assert settings.exchange.proxies == ("10.0.0.0/24", "192.0.2.1")


@pytest.mark.parametrize("word", ["10.0.0.1/24", "proxy.example", "10.0.0", "10.0.0.0/33"])
def test_a_proxy_is_an_address_or_a_network(tmp_path: Path, word: str) -> None:
    with pytest.raises(SettingsError, match="addresses, or networks such as"):
        load(tmp_path, MINEX_PROXIES=word)
