"""Who did what to whom, when, from where: written in the transaction of the act, and only added to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from sqlalchemy import text

from database.statements import Statements
from services.timestamps import timestamp

PERSON: Final = "person"
KEY: Final = "key"
ADMIN_KEY: Final = "admin_key"
COMMAND_LINE: Final = "command_line"

INSERT = text("""
    INSERT INTO audit_log (
        actor_kind, actor_id, actor_name, action, target, before, after, address, request_id
    ) VALUES (
        :kind, :id, :name, :action, :target, CAST(:before AS jsonb), CAST(:after AS jsonb), :address, :request_id
    )
""")

COLUMNS: Final = (
    """id, created_at, actor_kind, actor_id, actor_name, action, target, before, after, address, request_id"""
)

FILTERS: Final = {
    "action": "action = :action",
    "target": "target = :target",
    "actor": "actor_name = :actor",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Who acts, and from where: `id` is that of a person or a key, `request_id` that of the request."""

    kind: str
    id: int | None
    name: str
    address: str = ""
    request_id: str | None = None


def audit(
    session: Statements,
    origin: Origin,
    action: str,
    target: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write down that somebody did something: `action` as in `broker.suspend`, `target` as in `broker:7`.

    `before` and `after` are what the act changed, without any secret.
    """
    values = {
        "kind": origin.kind,
        "id": origin.id,
        "name": origin.name,
        "action": action,
        "target": target,
        "before": None if before is None else orjson.dumps(before).decode(),
        "after": None if after is None else orjson.dumps(after).decode(),
        "address": origin.address,
        "request_id": origin.request_id,
    }
    session.execute(INSERT, values)


def read_audit(session: Statements, wanted: Mapping[str, str], before: int, limit: int) -> Iterator[dict[str, Any]]:
    """Entries with lower ids, newest first; `wanted` names an action, a target, an actor's name."""
    conditions = " AND ".join(["id < :before", *(FILTERS[name] for name in wanted)])
    page = text(f"SELECT {COLUMNS} FROM audit_log WHERE {conditions} ORDER BY id DESC LIMIT :limit")  # noqa: S608 - ours
    return map(_document, session.execute(page, {"before": before, "limit": limit, **wanted}))


def _document(row: Any) -> dict[str, Any]:
    return {
        "audit_id": row.id,
        "time": timestamp(row.created_at),
        "actor": {"kind": row.actor_kind, "id": row.actor_id, "name": row.actor_name},
        "action": row.action,
        "target": row.target,
        "before": row.before,
        "after": row.after,
        "address": row.address,
        "request_id": row.request_id,
    }
