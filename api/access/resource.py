"""A blueprint that says of each route who may use it, and documents that too."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from flask import request
from flask_smorest import Blueprint

from api.access.auth import CHECKS, Access
from api.access.charging import bucket_of, charge
from api.http.arguments import StrictParser, refuse_query
from api.http.body import refuse_body
from api.http.paths import refuse_impossible

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
"""What a view is decorated with."""

SECURITY: dict[Access, list[dict[str, list[str]]]] = {
    Access.ANYONE: [],
    Access.KEY: [{"apiKey": []}],
    Access.BROKER: [{"apiKey": []}],
    Access.OPERATOR: [{"adminKey": []}],
    Access.ADMIN: [{"adminKey": []}],
    Access.DEBUG: [{"adminKey": []}],
}


class Resource(Blueprint):  # type: ignore[misc] # flask-smorest has no types
    """The routes of one resource. Who may use a route is asked for at each, so that none is open by oversight."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, import_name: str, **options: Any) -> None:
        super().__init__(name, import_name, **options)
        self.access: dict[str, Access] = {}
        """Who may use each endpoint."""

    def arguments(self, schema: Any, **options: Any) -> Decorator:
        """Decorate a view with what it takes, and with the schema's `EXAMPLES` of a body, by what they are.

        The schema is made once: webargs would make one for each request.
        """
        examples = getattr(schema, "EXAMPLES", None)
        if examples:
            options["examples"] = {name: {"value": value} for name, value in examples.items()}
        decorator: Decorator = super().arguments(schema() if isinstance(schema, type) else schema, **options)
        return decorator

    def response(self, status: int, schema: Any = None, **options: Any) -> Decorator:
        """Decorate a view with what it answers when all is well."""
        decorator: Decorator = super().response(status, schema, **options)
        return decorator

    def alt_response(self, status: int, **options: Any) -> Decorator:
        """Decorate a view with what else it may answer."""
        decorator: Decorator = super().alt_response(status, **options)
        return decorator

    def doc(self, *, parameters: Sequence[dict[str, Any]] = (), **options: Any) -> Decorator:
        """Decorate a view with what else its description says; `parameters` are added to those of `arguments`."""

        def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
            documented: Callable[..., Any] = super(Resource, self).doc(**options)(view)
            described = documented._apidoc.setdefault("arguments", {})  # type: ignore[attr-defined]
            described.setdefault("parameters", []).extend(parameters)
            return documented

        return decorate

    def open_to(self, access: Access, rule: str, *methods: str, charged: bool = True) -> Decorator:
        """Decorate a view: it answers `methods` (default GET) at `rule`, after checking that the caller may.

        A request takes one from its broker's bucket; where it is not `charged`, the view says how much it takes. What
        the view does not read is refused: a body, and (but for anyone's routes) a query.
        """
        check = CHECKS[access]
        bucket = bucket_of(rule, methods)
        is_charged = charged and access in (Access.BROKER, Access.KEY)

        def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
            documented = self.doc(security=SECURITY[access], operationId=view.__name__)(view)
            reads = _read_by(view)
            reads_body, reads_query = "json" in reads, "query" in reads or access is Access.ANYONE

            @wraps(documented)
            def checked(*args: Any, **kwargs: Any) -> Any:
                check()
                if is_charged:
                    charge(bucket)
                refuse_impossible(kwargs)
                if not reads_body:
                    refuse_body(request)
                if not reads_query:
                    refuse_query(request)
                return documented(*args, **kwargs)

            self.access[f"{self.name}.{view.__name__}"] = access
            self.route(rule, methods=list(methods or ("GET",)))(checked)
            return checked

        return decorate


def _read_by(view: Callable[..., Any]) -> set[str]:
    """The parts of a request that a view reads its arguments from: "json", "query"."""
    described = getattr(view, "_apidoc", {}).get("arguments", {})
    return {argument["in"] for argument in described.get("parameters", [])}
