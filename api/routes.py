"""All routes of the application, and their description (OpenAPI)."""

from flask import Flask
from flask_smorest import Api

from api.access.resource import Resource
from api.access.rights import Access
from api.accounts import account_events, accounts, api_keys, broker_limits, brokers, explanations, fees, transfers
from api.accounts.people import log_ins, me, users
from api.accounts.webhooks import deliveries, webhook
from api.clearing import busts, clearing_lists
from api.http.converters import ClientOrderIdConverter, IdConverter, SymbolConverter
from api.http.direct_routes import DirectRoutes
from api.http.paths import CLIENT_ORDER_ID_SCHEMA, ID_SCHEMA, SYMBOL_SCHEMA
from api.http.problem_schemas import ProblemSchema
from api.market import candles, clock, market_data, stocks, tickers, trading_states
from api.operations import audit_log, config, debug, docs, health
from api.operations.schema_converter import ConverterPlugin
from api.trading import mass_cancel, order_batches, order_changes, orders, positions, previews
from serving.raw_answers import MIMETYPE
from settings.sections import Settings

RESOURCES: tuple[Resource, ...] = (
    orders.blueprint,
    previews.blueprint,
    order_batches.blueprint,
    order_changes.blueprint,
    mass_cancel.blueprint,
    positions.blueprint,
    stocks.blueprint,
    trading_states.blueprint,
    market_data.blueprint,
    candles.blueprint,
    tickers.blueprint,
    clock.blueprint,
    accounts.blueprint,
    account_events.blueprint,
    explanations.blueprint,
    api_keys.blueprint,
    brokers.blueprint,
    broker_limits.blueprint,
    fees.blueprint,
    transfers.blueprint,
    webhook.blueprint,
    deliveries.blueprint,
    log_ins.blueprint,
    me.blueprint,
    users.blueprint,
    busts.blueprint,
    clearing_lists.blueprint,
    audit_log.blueprint,
    config.blueprint,
    health.blueprint,
    health.at_root,
    debug.blueprint,
)


SERVER = {"url": "/", "description": "This exchange."}
LICENSE = {"name": "Apache 2.0", "identifier": "Apache-2.0"}
DESCRIPTION = """\
A stock exchange: orders are reserved, stored and matched by price and time.

Send `Authorization: Bearer <api key>`; people send the access token that they log in for. Prices and money are integer
cents, quantities whole shares, times UTC (RFC 3339). Symbols are taken in any case. An order is answered once it is
stored and reserved; with `Prefer: wait=5` after it was matched, with its fills. Give each order a `client_order_id`:
the same one again is the same order, so whatever answer is lost, the order can be sent again. Lists come in pages: pass
`next_cursor` as `cursor`. Every refusal is a problem (RFC 9457) with a stable `code`; [all codes](/docs/errors).
"""


class DocumentedApi(Api):  # type: ignore[misc] # flask-smorest has no types
    """flask-smorest, with errors left to `api.http.errors`."""

    ERROR_SCHEMA = ProblemSchema

    def _register_error_handlers(self) -> None:
        """None of its own: errors become HTTP in one place."""

    def _register_etag_headers(self) -> None:
        """No ETags."""

    def _register_pagination_header(self) -> None:
        """Pages are told in the body."""

    def _register_responses(self) -> None:
        problem = {"description": "A problem (RFC 9457).", "content": {MIMETYPE: {"schema": self.ERROR_SCHEMA}}}
        for name in ("DEFAULT_ERROR", "UNPROCESSABLE_ENTITY", "UNPROCESSABLE_CONTENT"):
            self.spec.components.response(name, problem, lazy=True)


def register(app: Flask, settings: Settings) -> DirectRoutes:
    """Give `app` all its routes; the direct ways to those of the resources."""
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.converters.update(
        symbol=SymbolConverter,
        order_id=IdConverter,
        trade_id=IdConverter,
        broker_id=IdConverter,
        key_id=IdConverter,
        session_id=IdConverter,
        user_id=IdConverter,
        delivery_id=IdConverter,
        bust_id=IdConverter,
        client_order_id=ClientOrderIdConverter,
    )
    app.config.update(API_TITLE=settings.exchange.name, API_VERSION="v1", OPENAPI_VERSION="3.1.0")
    api = DocumentedApi(app, spec_kwargs={"marshmallow_plugin": ConverterPlugin(), "servers": [SERVER]})
    api.spec.options["info"] = {"description": DESCRIPTION, "license": LICENSE}
    api.register_converter(SymbolConverter, lambda _: SYMBOL_SCHEMA)
    api.register_converter(IdConverter, lambda _: ID_SCHEMA)
    api.register_converter(ClientOrderIdConverter, lambda _: CLIENT_ORDER_ID_SCHEMA)
    scheme = {"type": "http", "scheme": "bearer"}
    api.spec.components.security_scheme("apiKey", {**scheme, "description": "A broker's API key."})
    token = {**scheme, "bearerFormat": "JWT", "description": "A person's access token, from POST /api/v1/token."}
    api.spec.components.security_scheme("accessToken", token)
    api.spec.components.security_scheme("adminKey", {**scheme, "description": "The administrator's key."})
    for resource in RESOURCES:
        if resource is debug.blueprint and not settings.exchange.debug:
            app.register_blueprint(resource)  # there is nothing there, so nothing is described
        else:
            api.register_blueprint(resource)
    docs.init_app(app, api.spec, settings.exchange.name)
    direct = DirectRoutes(app.url_map.converters)
    for resource in RESOURCES:
        for method, rule, view in resource.routes:
            direct.add(method, rule, view)
    return direct


def access_of() -> dict[str, Access]:
    """The access that each endpoint of the resources asks for, by the endpoint's name."""
    return {endpoint: access for resource in RESOURCES for endpoint, access in resource.access.items()}
