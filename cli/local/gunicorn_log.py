"""gunicorn's own lines in the form of all others: `--logger-class cli.local.gunicorn_log.ServerLog`."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from logs import start_logging
from settings.loading import load_settings


class ServerLog(Logger):  # type: ignore[misc] # gunicorn has no types
    """Hands everything to the root logger, whose form is that of `[log]`."""

    def setup(self, cfg: Any) -> None:
        """Called at the start and at each reload."""
        super().setup(cfg)
        start_logging(load_settings().log)
        for log in (self.error_log, self.access_log):
            log.handlers.clear()
            log.propagate = True
