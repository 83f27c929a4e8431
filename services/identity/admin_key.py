"""The administrator's key: made at the first start, kept as a hash."""

import hmac
import secrets
from collections.abc import Callable

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from database.statements import Statements
from models import AdminKey
from services.identity.api_keys import KEY_BYTES, hash_of_key

ALONE = text("LOCK TABLE admin_keys IN SHARE ROW EXCLUSIVE MODE")
"""Two processes that start at once make one key."""

STORED = text("SELECT key_hash FROM admin_keys")


def ensure_admin_key(
    session: Session, configured: str = "", tell: Callable[[str], None] = lambda words: None
) -> str | None:
    """Make sure that there is an administrator's key; the new one if one was made just now, else None.

    A `configured` key replaces whatever was stored. `tell` hears of every change, never the key.
    """
    session.execute(ALONE)
    if configured:
        if list(session.scalars(STORED)) != [hash_of_key(configured)]:
            session.execute(delete(AdminKey))
            session.add(AdminKey(key_hash=hash_of_key(configured)))
            tell("the administrator's key is another one now, that of the settings")
        return None
    if session.scalar(select(func.count()).select_from(AdminKey)):
        return None
    tell("the administrator's key was made")
    return _new_key(session)


def replace_admin_key(session: Session) -> str:
    """A new administrator's key; every one that was stored before ends with the commit."""
    session.execute(ALONE)
    session.execute(delete(AdminKey))
    return _new_key(session)


def _new_key(session: Session) -> str:
    key = f"mxadmin_{secrets.token_urlsafe(KEY_BYTES)}"
    session.add(AdminKey(key_hash=hash_of_key(key)))
    return key


def is_admin_key(session: Statements, key: str, configured: str = "") -> bool:
    """True if this is the administrator's key; each comparison takes constant time."""
    if configured:
        return hmac.compare_digest(hash_of_key(key), hash_of_key(configured))
    stored = session.scalars(STORED)
    return any(hmac.compare_digest(hash_of_key(key), bytes(digest)) for digest in stored)
