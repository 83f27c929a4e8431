"""The connection that the present greenlet works for: what may be done about it from within a request.

Elsewhere, in tests without a server or in another process, all of it does nothing.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from gevent import getcurrent

from serving.flows import Flow

FLOW = "flow"
"""Of a greenlet: its connection."""

PACE = 50
"""Documents: half a millisecond."""

Thing = TypeVar("Thing")

CONNECTION = "gunicorn.socket"
"""Where `environ` has it."""


def run_as(flow: Flow) -> None:
    """The present greenlet works for this connection from now on."""
    setattr(getcurrent(), FLOW, flow)


def payer() -> Hashable:
    """Who pays for what the present greenlet does; None for nobody in particular."""
    flow: Flow | None = getattr(getcurrent(), FLOW, None)
    return None if flow is None else flow.payer


def pause() -> None:
    """After a wait, or amid long work: let others go first, if the loop has been at work for long."""
    flow: Flow | None = getattr(getcurrent(), FLOW, None)
    if flow is not None:
        flow.turns.again(flow)


def paced(things: Iterable[Thing]) -> Iterator[Thing]:
    """`things`, which are made one by one: a few, then others go first if the loop has been at work for long."""
    for number, thing in enumerate(things, 1):
        yield thing
        if number % PACE == 0:
            pause()


def let_in(seconds: float) -> None:
    """Before work that is the cheaper the more take part in it: wait for those who wait for their turns.

    Only whoever has used much of late does.
    """
    flow: Flow | None = getattr(getcurrent(), FLOW, None)
    if flow is not None:
        flow.turns.let_in(flow, seconds)


def charge_to(environ: Mapping[str, Any], payer: Hashable) -> None:
    """The request's connection is this one's from now on."""
    flow = getattr(environ.get(CONNECTION), FLOW, None)
    if flow is not None:
        flow.paid_by(payer)
