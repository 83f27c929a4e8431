"""All routes of the application, and their description (OpenAPI)."""

from flask import Flask
from flask_smorest import Api

from api.access.auth import Access
from api.access.resource import Resource
from api.accounts import accounts, brokers
from api.http.converters import ClientOrderIdConverter, IdConverter, SymbolConverter
from api.http.errors import MIMETYPE
from api.http.problem_schemas import ProblemSchema
from api.market import market_data, stocks, trading_states
from api.operations import debug, docs, health
from api.trading import mass_cancel, order_batches, order_changes, orders
from settings.sections import Settings

RESOURCES: tuple[Resource, ...] = (
    orders.blueprint,
    order_batches.blueprint,
    order_changes.blueprint,
    mass_cancel.blueprint,
    stocks.blueprint,
    trading_states.blueprint,
    market_data.blueprint,
    accounts.blueprint,
    brokers.blueprint,
    health.blueprint,
    health.at_root,
    debug.blueprint,
)


class DocumentedApi(Api):  # type: ignore[misc] # flask-smorest has no types
    """flask-smorest, with errors left to `api.http.errors`."""

    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        """None of its own: errors become HTTP in one place."""

    def _register_responses(self) -> None:
        problem = {"description": "A problem (RFC 9457).", "content": {MIMETYPE: {"schema": self.ERROR_SCHEMA}}}
        for name in ("DEFAULT_ERROR", "UNPROCESSABLE_ENTITY", "UNPROCESSABLE_CONTENT"):
            self.spec.components.response(name, problem, lazy=True)


def register(app: Flask, settings: Settings) -> None:
    """Give `app` all its routes."""
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.converters.update(
        symbol=SymbolConverter, order_id=IdConverter, broker_id=IdConverter, client_order_id=ClientOrderIdConverter
    )
    app.config.update(API_TITLE=settings.exchange.name, API_VERSION="v1", OPENAPI_VERSION="3.1.0")
    api = DocumentedApi(app)
    scheme = {"type": "http", "scheme": "bearer"}
    api.spec.components.security_scheme("apiKey", {**scheme, "description": "A broker's API key."})
    api.spec.components.security_scheme("adminKey", {**scheme, "description": "The administrator's key."})
    for resource in RESOURCES:
        api.register_blueprint(resource)
    docs.init_app(app, api.spec, settings.exchange.name)


def access_of() -> dict[str, Access]:
    """Who may use each endpoint of the resources."""
    return {endpoint: access for resource in RESOURCES for endpoint, access in resource.access.items()}
