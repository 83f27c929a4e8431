"""The WSGI application of a REST process."""

from collections.abc import Callable
from typing import Any

from flask import Flask

import background
from api.access import charging
from api.components import EXTENSION, open_components
from api.http import answers, errors, middleware
from api.routes import register
from settings.sections import Settings


class Rest(Flask):
    """A Flask application whose views are all plain functions."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """As it is: Flask would look ten times a request whether a function is a coroutine."""
        return func


def create_app(settings: Settings) -> Flask:
    """The WSGI application of a REST process. PostgreSQL and Redis are connected to when first needed."""
    app = Rest("minex", static_folder=None)
    components = app.extensions[EXTENSION] = open_components(settings)
    app.extensions[background.EXTENSION] = components.tasks
    answers.init_app(app)
    errors.init_app(app, components.health_probe.forget)
    middleware.init_app(app, settings)
    charging.init_app(app)
    register(app, settings)
    return app
