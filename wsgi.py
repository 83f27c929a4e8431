"""The WSGI applications: `app` (REST) and `live` (Socket.IO), each built only in the process that asks for it."""

from typing import Any

import background
from heartbeat import start_beating
from imports import without_collection
from logs import start_logging
from settings.in_public import refuse_unsafe
from settings.loading import load_settings
from settings.sections import Settings


def __getattr__(name: str) -> Any:
    """Build `app` or `live` when the server first asks for it, and never the other one."""
    if name == "app":
        with without_collection():
            from api.app import create_app  # noqa: PLC0415 - a process that serves Socket.IO does not need it

        application: Any = create_app(_settings())
    elif name == "live":
        with without_collection():
            from live.app import create_live  # noqa: PLC0415

        application = create_live(_settings())
    else:
        raise AttributeError(name)
    globals()[name] = application
    start_beating(application.extensions[background.EXTENSION].go_on)
    return application


def _settings() -> Settings:
    settings = load_settings()
    refuse_unsafe(settings)
    start_logging(settings.log)
    return settings
