"""What the client raises, as commands show it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Final

from cli.exits import FAILED, NOT_RUNNING, REFUSED
from cli.terminal import CommandError
from client import OutcomeUnknown, Refused, Unreachable

PUT_OFF: Final = frozenset({429, 503})
"""Statuses that say "later"; whoever sees one has waited."""


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Turns what the client raises within the block into what commands show. Raises CommandError."""
    try:
        yield
    except Refused as refused:
        if refused.status in PUT_OFF:
            what = f"The exchange does not take it now: {refused}"
            raise CommandError(what, "minex status", exit_code=FAILED) from refused
        what = f"{refused.detail or refused} ({refused.code or refused.status})"
        raise CommandError(what, exit_code=REFUSED) from refused
    except Unreachable as error:
        raise CommandError(f"{str(error)[:1].upper()}{str(error)[1:]}", "minex up", exit_code=NOT_RUNNING) from error
    except OutcomeUnknown as unknown:
        name = f" Its client_order_id is {unknown.client_order_id}." if unknown.client_order_id else ""
        raise CommandError(f"It may be done or not: its answer was lost.{name}", "minex orders") from unknown
