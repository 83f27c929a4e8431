"""Passwords: which will do, and how they are kept. Hashing is slow on purpose: `api.runtime.hashing` says where."""

from __future__ import annotations

import functools
import unicodedata
from typing import TYPE_CHECKING, Final

from services.identity.errors import CommonPassword

if TYPE_CHECKING:
    from argon2 import PasswordHasher

SHORTEST: Final = 12
LONGEST: Final = 128
"""Characters."""

DECOY: Final = "$argon2id$v=19$m=19456,t=2,p=1$h7caBGZc4ZFJMgdY3o1ThQ$WrNvs2mRs/P967mgjQhRt066KjSlM90ZdpBp/3tHcvU"
"""What the password of nobody is compared with, so that it takes as long as that of somebody."""

COMMON: Final = 2
"""zxcvbn's score from which on a password is not guessed within a million tries."""

LOOKED_AT: Final = 72
"""Characters of a password that zxcvbn looks at."""


@functools.cache
def hasher() -> PasswordHasher:
    """argon2id as OWASP advises: 19 MiB, two rounds, one thread. Loaded by the first who logs in."""
    from argon2 import PasswordHasher  # noqa: PLC0415

    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def refuse_common(password: str, username: str, field: str = "password") -> None:
    """Raises CommonPassword for one that is guessed soon: a common one, a row of keys, the name, one that repeats."""
    from zxcvbn import zxcvbn  # noqa: PLC0415 - as late as may be: it has a dictionary in it

    if zxcvbn(password[:LOOKED_AT], user_inputs=[username])["score"] < COMMON:
        raise CommonPassword(field=field)


def hash_of_password(password: str) -> str:
    """What is kept of a password; takes long."""
    return hasher().hash(_normal(password))


def is_password(password: str, stored: str | None) -> bool:
    """True if that was the password. Without a stored one it is not, and that takes as long."""
    from argon2.exceptions import InvalidHashError, VerificationError  # noqa: PLC0415

    try:
        return hasher().verify(stored or DECOY, _normal(password)) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(stored: str) -> bool:
    """True if it was hashed at other costs than are usual by now."""
    return hasher().check_needs_rehash(stored)


def _normal(password: str) -> str:
    """The same, however a keyboard puts accents together (RFC 8265, 4.2)."""
    return unicodedata.normalize("NFC", password)
