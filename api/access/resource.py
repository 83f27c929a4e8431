"""A blueprint that says of each route who may use it, and documents that too."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask_smorest import Blueprint

from api.access.auth import CHECKS, Access
from api.access.charging import bucket_of, charge
from api.http.arguments import StrictParser

SECURITY: dict[Access, list[dict[str, list[str]]]] = {
    Access.ANYONE: [],
    Access.KEY: [{"apiKey": []}],
    Access.BROKER: [{"apiKey": []}],
    Access.OPERATOR: [{"adminKey": []}],
    Access.ADMIN: [{"adminKey": []}],
    Access.DEBUG: [{"adminKey": []}],
}


class Resource(Blueprint):
    """The routes of one resource. Who may use a route is asked for at each, so that none is open by oversight."""

    ARGUMENTS_PARSER = StrictParser()

    def __init__(self, name: str, import_name: str, **options: Any) -> None:
        super().__init__(name, import_name, **options)
        self.access: dict[str, Access] = {}
        """Who may use each endpoint."""

    def arguments(self, schema: Any, **options: Any) -> Any:
        """Decorate a view with what it takes. The schema is made once: webargs would make one for each request."""
        return super().arguments(schema() if isinstance(schema, type) else schema, **options)

    def open_to(self, access: Access, rule: str, *methods: str, charged: bool = True) -> Callable[[Any], Any]:
        """Decorate a view: it answers `methods` (default GET) at `rule`, after checking that the caller may.

        A request takes one from its broker's bucket; where it is not `charged`, the view says how much it takes.
        """
        check = CHECKS[access]
        bucket = bucket_of(rule, methods)

        def decorate(view: Any) -> Any:
            documented = self.doc(security=SECURITY[access])(view)

            @wraps(documented)
            def checked(*args: Any, **kwargs: Any) -> Any:
                check()
                if charged and access in (Access.BROKER, Access.KEY):
                    charge(bucket)
                return documented(*args, **kwargs)

            self.access[f"{self.name}.{view.__name__}"] = access
            self.route(rule, methods=list(methods or ("GET",)))(checked)
            return checked

        return decorate
