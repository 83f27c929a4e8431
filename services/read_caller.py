"""Whose API key is this?"""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Broker
from services.register import hash_of_key


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """The broker that a key belongs to; `status` is active, close_only or suspended."""

    broker_id: int
    name: str
    status: str


def holder_of(session: Session, key: str) -> KeyHolder | None:
    """The broker with this API key, found by the key's hash; None for an unknown key."""
    wanted = select(Broker.id, Broker.name, Broker.status).where(Broker.api_key_hash == hash_of_key(key))
    row = session.execute(wanted).one_or_none()
    return None if row is None else KeyHolder(row.id, row.name, row.status)
