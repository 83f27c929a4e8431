"""REST: what the outside of the exchange looks like. Views look up, call one service and answer."""

from flask import Flask

from api import answers, charging, errors, requests
from api.desk import EXTENSION, open_desk
from api.routes import register
from config import Settings


def create_app(settings: Settings) -> Flask:
    """The WSGI application of a REST process. PostgreSQL and Redis are connected to when first needed."""
    app = Flask("minex", static_folder=None)
    app.extensions[EXTENSION] = open_desk(settings)
    answers.init_app(app)
    errors.init_app(app)
    requests.init_app(app, settings)
    charging.init_app(app)
    register(app, settings)
    return app
