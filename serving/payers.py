"""Who pays for a connection, as the application says while it answers."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

CONNECTION = "gunicorn.socket"


def charge_to(environ: Mapping[str, Any], payer: Hashable) -> None:
    """The request's connection is this one's from now on; nothing where no server of ours is in between."""
    flow = getattr(environ.get(CONNECTION), "flow", None)
    if flow is not None:
        flow.paid_by(payer)
