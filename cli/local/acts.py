"""Acts from the command line, as the audit log has them."""

from __future__ import annotations

import getpass
import os

from services.identity.audit_log import COMMAND_LINE, Origin


def origin() -> Origin:
    """The user of this machine who called the command."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # nobody of that number in /etc/passwd
        name = str(os.getuid())
    return Origin(COMMAND_LINE, None, name)
