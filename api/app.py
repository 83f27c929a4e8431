"""The WSGI application of a REST process."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Response

import background
from api.components import EXTENSION, open_components
from api.http import answers, errors, middleware
from api.http.answers import Answer, as_response
from api.http.calls import Shared
from api.routes import register
from serving.forwarded import Proxies
from settings.in_public import is_public
from settings.sections import Settings


class Rest(Flask):
    """A Flask application whose views are all plain functions, and may return an Answer."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """As it is: Flask would look ten times a request whether a function is a coroutine."""
        return func

    def make_response(self, rv: Any) -> Response:
        """Also of an Answer."""
        return as_response(rv) if isinstance(rv, Answer) else super().make_response(rv)


def create_app(settings: Settings) -> Flask:
    """The WSGI application of a REST process. PostgreSQL and Redis are connected to when first needed."""
    app = Rest("minex", static_folder=None)
    components = app.extensions[EXTENSION] = open_components(settings)
    app.extensions[background.EXTENSION] = components.tasks
    answers.init_app(app)
    errors.init_app(app)
    routes = register(app, settings)
    proxies = Proxies(settings.exchange.proxies)
    always = [*middleware.ALWAYS, *([middleware.IN_PUBLIC] if is_public(settings) else [])]
    shared = Shared(components, settings.web, components.health_probe.forget, proxies, always)
    middleware.init_app(app, shared, routes)
    return app
