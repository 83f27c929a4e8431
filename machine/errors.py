"""What the machine does not let us do."""

from __future__ import annotations


class MachineError(Exception):
    """The machine does not let us; the message says why and how to mend it."""


class NotOursError(MachineError, OSError):
    """A folder, a lock or a secret is somebody else's, or others could change it."""
