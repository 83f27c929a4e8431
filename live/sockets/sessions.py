"""An Engine.IO session is forgotten with its client's connection.

By itself it would stay until the library looks for closed ones, and the greenlet that waits to ping the client would
sleep on: a thousand sockets a second that come and go were 25,000 sessions of closed ones, and the garbage collector
looked through a million objects for half a second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engineio.socket import Socket

KEPT_AS = "pinging"
"""What a session remembers the greenlet as."""


def noting_pings(thread: Callable[..., Any]) -> Callable[..., Any]:
    """What makes Engine.IO's greenlets: `thread`, but each session knows the one that will ping its client."""

    def make(target: Callable[..., Any], args: Any = (), kwargs: Any = None) -> Any:
        made = thread(target=target, args=args, kwargs=kwargs or {})
        session = getattr(target, "__self__", None)
        if isinstance(session, Socket):
            setattr(session, KEPT_AS, made)
        return made

    return make


def forget(session: Socket) -> None:
    """Its client has gone: nobody is to be pinged any more."""
    session.server.sockets.pop(session.sid, None)
    pinging = session.__dict__.pop(KEPT_AS, None)
    if pinging is not None:
        pinging.kill(block=False)
