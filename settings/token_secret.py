"""Secrets that people's tokens are signed with: that nobody guesses them, who could then be anybody."""

from __future__ import annotations

from typing import Final

from settings.admin_key import SENDABLE
from settings.values import SettingsError

SHORTEST: Final = 32
"""Characters: as many bytes as the signature has (RFC 7518, 3.2)."""

LONGEST: Final = 256


def check_token_secret(secret: str, place: str) -> None:
    """Raises SettingsError, which names `place` and never the secret, unless it is empty or will do."""
    if not secret:
        return
    if not SENDABLE.fullmatch(secret):
        raise SettingsError(f"{place}: expected printable ASCII characters without blanks")
    if not SHORTEST <= len(secret) <= LONGEST:
        raise SettingsError(f"{place}: expected {SHORTEST} to {LONGEST} characters, not {len(secret)}")
    if len(set(secret)) == 1:
        raise SettingsError(f"{place}: expected characters that nobody guesses, not one again and again")
