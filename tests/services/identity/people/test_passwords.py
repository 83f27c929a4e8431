"""Given passwords, then common ones are refused, and others are kept as hashes that nobody compares quickly."""

from __future__ import annotations

import argon2
import pytest

from services.identity.errors import CommonPassword
from services.identity.people.passwords import DECOY, hash_of_password, hasher, is_outdated, is_password, refuse_common

COMMON = [
    "password1234", "Password1234!", "123456789012", "aaaaaaaaaaaa", "qwertyuiop12", "abcdefghijkl", "iloveyou1234",
    "passwordpassword", "1qaz2wsx3edc", "letmein12345", "a" * 128, "ana-maria1234",
]  # fmt: skip
GOOD = ["correct horse battery", "nine tall ships at anchor", "tr4der-one-pass", "contraseña del mercado", "漢字" * 3 + "ключ от дома"]  # noqa: E501 # fmt: skip


@pytest.mark.parametrize("password", COMMON)
def test_what_is_guessed_soon_is_refused(password: str) -> None:
    with pytest.raises(CommonPassword) as refused:
        refuse_common(password, "ana-maria")
    assert refused.value.field == "password"
    assert password not in str(refused.value)


@pytest.mark.parametrize("password", GOOD)
def test_others_are_taken(password: str) -> None:
    refuse_common(password, "ana")


def test_a_password_is_kept_as_argon2id_and_known_again() -> None:
    stored = hash_of_password(GOOD[0])
    assert stored.startswith("$argon2id$")
    assert GOOD[0] not in stored
    assert is_password(GOOD[0], stored)
    assert not is_password(GOOD[1], stored)
    assert hash_of_password(GOOD[0]) != stored, "each has its own salt"
    assert not is_outdated(stored)


def test_nobody_has_no_password_and_it_takes_as_long_to_say_so() -> None:
    assert not is_password(GOOD[0], None)
    costs = argon2.extract_parameters(DECOY)
    used = hasher()
    assert (costs.type, costs.time_cost, costs.memory_cost, costs.parallelism) == (
        used.type, used.time_cost, used.memory_cost, used.parallelism
    )  # fmt: skip


@pytest.mark.parametrize("stored", ["", "x", "$argon2id$", "$2b$12$abcdefghijklmnopqrstuv"])
def test_a_broken_hash_lets_nobody_in(stored: str) -> None:
    assert not is_password(GOOD[0], stored)


def test_a_hash_of_other_costs_is_outdated() -> None:
    assert is_outdated(argon2.PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash("x"))


def test_the_same_letters_are_the_same_however_a_keyboard_puts_them_together() -> None:
    assert is_password("contrasen\u0303a del mercado", hash_of_password("contrase\u00f1a del mercado"))
