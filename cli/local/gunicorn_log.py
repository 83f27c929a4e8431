"""gunicorn's own lines in the form of all others: `--logger-class cli.local.gunicorn_log.ServerLog`."""

from __future__ import annotations

import sys
from typing import Any

from gunicorn.glogging import Logger

from logs import start_logging
from settings.loading import load_settings

NO_HTTP = "Invalid request from ip="
"""How gunicorn begins an entry on what it cannot read, all of which follows."""


class ServerLog(Logger):  # type: ignore[misc] # gunicorn has no types
    """Hands everything to the root logger, whose form is that of `[log]`."""

    def setup(self, cfg: Any) -> None:
        """Called at the start and at each reload."""
        super().setup(cfg)
        start_logging(load_settings().log)
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True

    def warning(self, msg: Any, *args: Any, **options: Any) -> None:
        """As all warnings, but of what is no HTTP only its kind: a header that could not be read may hold a key."""
        kind = sys.exc_info()[0]
        if kind is not None and str(msg).startswith(NO_HTTP):
            address, _, _ = str(msg).removeprefix(NO_HTTP).partition(": ")
            msg, args = f"{NO_HTTP}%s: %s", (address, kind.__name__)
        super().warning(msg, *args, **options)

    def exception(self, msg: Any, *args: Any, **options: Any) -> None:
        """As all errors, but of what was asked for only the path: a query may hold anything."""
        super().exception(msg, *(arg.partition("?")[0] if isinstance(arg, str) else arg for arg in args), **options)
