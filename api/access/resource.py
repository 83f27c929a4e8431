"""A blueprint that says of each route who may use it, and documents that too."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from flask_smorest import Blueprint

from api.access.auth import CHECKS
from api.access.charging import bucket_of, charge
from api.access.rights import OF_BROKERS, OF_PEOPLE, OF_THE_EXCHANGE, Access
from api.http.arguments import READERS, refuse_query
from api.http.body import refuse_body
from api.http.calls import present
from api.http.paths import refuse_impossible
from api.http.problems import Problem

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
"""What a view is decorated with."""

Of = Callable[..., object]
"""Takes the arguments of a path, and raises where what they name is not there, or not the caller's."""

CHARGED = OF_BROKERS | {Access.KEY, Access.MARKET}
"""Who takes from a bucket."""

SECURITY: dict[Access, list[dict[str, list[str]]]] = {
    Access.ANYONE: [],
    **{access: [{"apiKey": []}, {"accessToken": []}] for access in CHARGED},
    Access.MARKET: [{}, {"apiKey": []}, {"accessToken": []}],
    **{access: [{"accessToken": []}] for access in OF_PEOPLE},
    **{access: [{"adminKey": []}, {"accessToken": []}] for access in OF_THE_EXCHANGE},
}


class Resource(Blueprint):  # type: ignore[misc] # flask-smorest has no types
    """The routes of one resource. Who may use a route is asked for at each, so that none is open by oversight.

    flask-smorest describes the routes. When a request comes, nothing of it is on the way to the view.
    """

    def __init__(self, name: str, import_name: str, **options: Any) -> None:
        super().__init__(name, import_name, **options)
        self.access: dict[str, Access] = {}
        """Who may use each endpoint."""
        self.routes: list[tuple[str, str, Callable[..., Any]]] = []
        """Method, rule and view of each."""

    def arguments(self, schema: Any, *, location: str = "json", of: Of | None = None, **options: Any) -> Decorator:
        """Decorate a view with what it takes, and with the schema's `EXAMPLES` of a body, by what they are.

        `of` raises where what the path names is not there, or not the caller's: that is said before what is wrong with
        a body, and asked only where something is.
        """
        examples = getattr(schema, "EXAMPLES", None)
        if examples:
            options["examples"] = {name: {"value": value} for name, value in examples.items()}
        made = schema() if isinstance(schema, type) else schema
        described = super().arguments(made, location=location, **options)
        read = READERS[location](made)

        def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(view)
            def reading(*args: Any, **kwargs: Any) -> Any:
                try:
                    found = read()
                except Problem:
                    _refuse_thing(of, kwargs)
                    raise
                return view(found, *args, **kwargs)

            reading._apidoc = described(view)._apidoc  # type: ignore[attr-defined]
            return reading

        return decorate

    def response(self, status: int, schema: Any = None, **options: Any) -> Decorator:
        """Describe what a view answers when all is well; the view makes it."""
        return _only_described(super().response(status, schema, **options))

    def alt_response(self, status: int, **options: Any) -> Decorator:
        """Describe what else a view may answer."""
        return _only_described(super().alt_response(status, **options))

    def doc(self, *, parameters: Sequence[dict[str, Any]] = (), **options: Any) -> Decorator:
        """Decorate a view with what else its description says; `parameters` are added to those of `arguments`."""

        def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
            documented = _only_described(super(Resource, self).doc(**options))(view)
            described = documented._apidoc.setdefault("arguments", {})  # type: ignore[attr-defined]
            described.setdefault("parameters", []).extend(parameters)
            return documented

        return decorate

    def open_to(
        self, access: Access, rule: str, *methods: str, charged: bool = True, of: Of | None = None
    ) -> Decorator:
        """Decorate a view: it answers `methods` (default GET) at `rule`, after checking that the caller may.

        A request takes one from its broker's bucket; where it is not `charged`, the view says how much it takes. What
        the view does not read is refused: a body, and (but for anyone's routes) a query; `of` as for `arguments`.
        """
        check = CHECKS[access]
        bucket = bucket_of(rule, methods)
        is_charged = charged and access in CHARGED

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
                try:
                    if not reads_body:
                        refuse_body(present().environ)
                    if not reads_query:
                        refuse_query()
                except Problem:
                    _refuse_thing(of, kwargs)
                    raise
                return documented(*args, **kwargs)

            self.access[f"{self.name}.{view.__name__}"] = access
            self.route(rule, methods=list(methods or ("GET",)))(checked)
            self.routes += [(method, f"{self.url_prefix or ''}{rule}", checked) for method in methods or ("GET",)]
            return checked

        return decorate


def _refuse_thing(of: Of | None, arguments: dict[str, Any]) -> None:
    if of is not None:
        of(**arguments)


def _only_described(decorator: Decorator) -> Decorator:
    """flask-smorest's decorator, without what it would do at each request."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        view._apidoc = decorator(view)._apidoc  # type: ignore[attr-defined]
        return view

    return decorate


def _read_by(view: Callable[..., Any]) -> set[str]:
    """The parts of a request that a view reads its arguments from: "json", "query"."""
    described = getattr(view, "_apidoc", {}).get("arguments", {})
    return {argument["in"] for argument in described.get("parameters", [])}
