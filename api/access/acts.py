"""Acts of the present request, as the audit log has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.access.auth import caller
from api.http.calls import present
from database.statements import Statements
from services.identity.audit_log import ADMIN_KEY, KEY, PERSON, Origin, audit


def act(
    session: Statements,
    action: str,
    target: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Write down in the transaction of the act what whoever calls did; see `audit`."""
    audit(session, origin(), action, target, before, after)


def origin() -> Origin:
    """Who sent the present request, and from where."""
    found, call = caller(), present()
    where = (call.address, call.identity)
    if found.session is not None:
        return Origin(PERSON, found.session.user_id, found.session.username, *where)
    if found.key is not None:
        return Origin(KEY, found.key.key_id, found.name, *where)
    return Origin(ADMIN_KEY, None, found.name, *where)


def origin_of_person(user_id: int, username: str) -> Origin:
    """Of somebody who has just come in, by the present request."""
    call = present()
    return Origin(PERSON, user_id, username, call.address, call.identity)
