"""People, as administrators let them in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from database.statements import Statements
from services.errors import UnknownBroker
from services.identity.errors import BrokerNeeded, UnknownUser, UsernameTaken
from services.identity.people.roles import TRADER
from services.identity.people.sessions import end_sessions
from services.timestamps import timestamp

COLUMNS = "id, username, role, broker_id, is_active, created_at"

INSERT = text(f"""
    INSERT INTO users (username, password_hash, role, broker_id) VALUES (:username, :password_hash, :role, :broker_id)
    ON CONFLICT (username) DO NOTHING RETURNING {COLUMNS}
""")  # noqa: S608 - a constant of this file

ONE = text(f"SELECT {COLUMNS} FROM users WHERE id = :user_id FOR NO KEY UPDATE")  # noqa: S608
PAGE = text(f"SELECT {COLUMNS} FROM users WHERE id < :before ORDER BY id DESC LIMIT :limit")  # noqa: S608
CHANGE = text(f"""
    UPDATE users SET role = :role, broker_id = :broker_id, is_active = :is_active WHERE id = :user_id
    RETURNING {COLUMNS}
""")  # noqa: S608

LOGIN = text("SELECT id, username, password_hash, is_active FROM users WHERE username = :username")
SET_PASSWORD = text("UPDATE users SET password_hash = :password_hash WHERE id = :user_id")
IS_TAKEN = text("SELECT EXISTS (SELECT FROM users WHERE username = :username)")
NAME = text("SELECT username FROM users WHERE id = :user_id")
BROKER = text("SELECT id FROM brokers WHERE id = :broker_id FOR KEY SHARE")


@dataclass(frozen=True, slots=True)
class LogIn:
    """What a password is compared with."""

    user_id: int
    password_hash: str
    is_active: bool


def create_user(
    session: Statements, username: str, password_hash: str, role: str, broker_id: int | None
) -> dict[str, Any]:
    """A new person. Raises UsernameTaken, UnknownBroker, and BrokerNeeded for a trader without a broker."""
    _refuse_broker(session, role, broker_id)
    values = {"username": username, "password_hash": password_hash, "role": role, "broker_id": broker_id}
    row = session.execute(INSERT, values).one_or_none()
    if row is None:
        raise UsernameTaken(field="username")
    return user_document(row)


def refuse_taken(session: Statements, username: str) -> None:
    """Raises UsernameTaken, before a password is hashed in vain."""
    if session.scalar(IS_TAKEN, {"username": username}):
        raise UsernameTaken(field="username")


def name_of(session: Statements, user_id: int) -> str:
    """The name of a person. Raises UnknownUser."""
    name = session.scalar(NAME, {"user_id": user_id})
    if name is None:
        raise UnknownUser(f"There is no person {user_id}.")
    return str(name)


def change_user(
    session: Statements, user_id: int, changes: Mapping[str, Any], now: datetime
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give a person another role, broker, activity or `password_hash`; what is left out stays. Before, and after.

    Whoever is not active any more, or has got another password, is logged out. Raises UnknownUser, UnknownBroker,
    BrokerNeeded.
    """
    row = session.execute(ONE, {"user_id": user_id}).one_or_none()
    if row is None:
        raise UnknownUser(f"There is no person {user_id}.")
    role, broker_id = changes.get("role", row.role), changes.get("broker_id", row.broker_id)
    is_active = changes.get("active", row.is_active)
    _refuse_broker(session, role, broker_id)
    if "password_hash" in changes:
        session.execute(SET_PASSWORD, {"user_id": user_id, "password_hash": changes["password_hash"]})
    if not is_active or "password_hash" in changes:
        end_sessions(session, user_id, now)
    values = {"user_id": user_id, "role": role, "broker_id": broker_id, "is_active": is_active}
    return user_document(row), user_document(session.execute(CHANGE, values).one())


def set_password(session: Statements, user_id: int, password_hash: str) -> None:
    """Keep another password."""
    session.execute(SET_PASSWORD, {"user_id": user_id, "password_hash": password_hash})


def read_users(session: Statements, before: int, limit: int) -> Iterator[dict[str, Any]]:
    """People with lower ids, newest first."""
    return map(user_document, session.execute(PAGE, {"before": before, "limit": limit}))


def log_in_of(session: Statements, username: str) -> LogIn | None:
    """What the password of this person is compared with; None for nobody."""
    row = session.execute(LOGIN, {"username": username}).one_or_none()
    return None if row is None else LogIn(row.id, row.password_hash, row.is_active)


def user_document(row: Any) -> dict[str, Any]:
    """A person as the API shows one: nothing of the password."""
    return {
        "user_id": row.id,
        "username": row.username,
        "role": row.role,
        "broker_id": row.broker_id,
        "active": row.is_active,
        "created_at": timestamp(row.created_at),
    }


def _refuse_broker(session: Statements, role: str, broker_id: int | None) -> None:
    if broker_id is None:
        if role == TRADER:
            raise BrokerNeeded(field="broker_id")
    elif session.scalar(BROKER, {"broker_id": broker_id}) is None:
        raise UnknownBroker(f"There is no broker {broker_id}.", field="broker_id")
