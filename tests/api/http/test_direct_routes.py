"""Given any request, good, bad, odd or hostile, when it goes to its view directly, then the answer is Flask's."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from api.http.converters import ClientOrderIdConverter, IdConverter, SymbolConverter
from api.http.direct_routes import DirectRoutes
from api.http.middleware import Completed
from api.routes import RESOURCES
from tests.api.venue import ADMIN_KEY, Venue, an_order, settings_for

REQUESTS = 2_500

ODD_PARTS = ["1", "0", "-1", "007", "1.0", "9" * 19, "9" * 80, "petr4", "a%2Fb", "%41", "é", "a b", "..", "", "A" * 13]
METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"]
QUERIES = [
    "limit=5",
    "limit=0",
    "limit=x",
    "limit=5&limit=6",
    "depth=3",
    "cursor=x",
    "a=b",
    "a=%FF&b=%C3%A9",
    "=",
    "&&",
    "%",
]
KINDS = [
    "application/json",
    "application/json; charset=utf-8",
    "Application/JSON",
    "text/plain",
    "",
    ";",
    "application/jsonp",
]
BODIES = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b"{",
    b'{"a": 1}',
    b'{"quantity": 1, "quantity": 2}',
    b'{"price": 1e3}',
    b'{"price": 1.0, "quantity": true}',
    b"\xff",
    b'{"symbol": "\\u0050ETR4"}',
    b'{"quantity": 99999999999999999999}',
    b"[" * 2_000,
]
VALUES = [
    None,
    True,
    0,
    -1,
    1,
    1.0,
    1.5,
    10**30,
    "",
    "1",
    "x" * 65,
    "bid",
    "\u0660",
    [],
    {},
    "2026-01-01T00:00:00Z",
    "ioc",
]


@pytest.fixture(scope="module")
def venue(database_url: str, redis_url: str) -> Iterator[Venue]:
    """Without limits, whose fields count the requests."""
    free = {"orders_per_second": 0, "cancels_per_second": 0, "reads_per_second": 0}
    venue = Venue(settings_for(database_url, redis_url, limits=free))
    yield venue
    venue.close()


class BothWays:
    """The application, and the same without a direct route."""

    def __init__(self, venue: Venue) -> None:
        direct = venue.app.wsgi_app
        assert isinstance(direct, Completed)
        self.direct = Client(direct)
        self.by_flask = Client(Completed(direct._application, direct._shared, DirectRoutes({})))

    def answers(self, method: str, path: str, **options: Any) -> tuple[TestResponse, TestResponse]:
        """Directly, and by Flask."""
        return self.direct.open(path, method=method, **options), self.by_flask.open(path, method=method, **options)


class Stranger:
    """Makes up requests."""

    def __init__(self, venue: Venue, seed: int) -> None:
        self.choose = random.Random(seed)
        self.stock = venue.list()
        for _ in range(8):
            venue.broker()  # whose keys may be ended by their numbers
        self.broker, other = venue.broker(cash=10**12, shares={self.stock: 10**6}), venue.broker(cash=10**12)
        self.foreign = other.order("bid", self.stock, 1, 3_500)
        self.own = self.broker.order("bid", self.stock, 1, 3_500)
        routes = [(method, rule) for resource in RESOURCES for method, rule, _ in resource.routes]
        self.rules = [route for route in routes if route not in ONCE]

    def request(self) -> tuple[str, str, dict[str, Any]]:
        """A method, a path and what else."""
        choose = self.choose
        method, rule = choose.choice(self.rules)
        path = "/".join(self._part(part, method) for part in rule.split("/"))
        if choose.random() < 0.1:
            path = choose.choice([path + "/", path + "//", path.upper(), "/" + path, path.replace("v1", "v2")])
        if choose.random() < 0.1:
            method = choose.choice(METHODS)
        if choose.random() < 0.2:
            path = f"{path}?{'&'.join(choose.choices(QUERIES, k=choose.randint(1, 2)))}"
        headers = {
            "X-Request-ID": "same",
            "Prefer": choose.choice(["respond-async", "wait=0", "wait=x, respond-async"]),
        }
        key = choose.choices([self.broker.key, ADMIN_KEY, "mx_wrong", "", None], [8, 3, 1, 1, 1])[0]
        if key is not None:
            headers["Authorization"] = f"{choose.choice(['Bearer', 'bearer', 'Basic'])} {key}"
        options: dict[str, Any] = {"headers": headers}
        if method in ("POST", "PUT", "PATCH") or choose.random() < 0.1:
            options["data"] = self._body()
            options["content_type"] = choose.choices(KINDS, [9, *[1] * (len(KINDS) - 1)])[0]
        return method, path, options

    def _part(self, part: str, method: str) -> str:
        choose = self.choose
        if not part.startswith("<"):
            return part
        if choose.random() < 0.3:
            return choose.choice(ODD_PARTS)
        if "symbol" in part:
            return choose.choice([self.stock, self.stock.lower(), "NONE1"])
        return str(choose.choice([self.foreign, 999_999, *([self.own] if method == "GET" else [])]))

    def _body(self) -> bytes:
        choose = self.choose
        if choose.random() < 0.3:
            return choose.choice(BODIES)
        order: dict[str, Any] = an_order(choose.choice(("bid", "ask")), choose.choice([self.stock, "NONE1"]), 1, 3_500)
        for _ in range(choose.choice((0, 0, 1, 1, 2))):
            names = [*order, "price", "order_type", "time_in_force", "stop_price", "valid_until", "post_only", "a"]
            order[choose.choice(names)] = choose.choice(VALUES)
        return json.dumps(order).encode()


ONCE = [("POST", "/api/v1/stocks"), ("POST", "/api/v1/debug/reset")]
"""What is another thing the second time."""

VOLATILE = ("/time", "/clock", "/portfolio/history", "/health", "/healthcheck", "/ready")


def told(answer: TestResponse, method: str, path: str) -> Any:
    """All of an answer; of one that changed something, or is another each moment, what does not depend on when."""
    headers = sorted((name, value) for name, value in answer.headers if name != "Date")
    changed = method != "GET" and 200 <= answer.status_code < 300
    if not (changed or any(volatile in path for volatile in VOLATILE)):
        return answer.status, headers, answer.get_data()
    members = sorted(answer.json) if answer.is_json and answer.get_data() else None
    return answer.status, [name for name, _ in headers], members


def test_every_answer_is_the_same_both_ways(venue: Venue) -> None:
    both, stranger = BothWays(venue), Stranger(venue, seed=1)
    seen: Counter[int] = Counter()
    for _ in range(REQUESTS):
        method, path, options = stranger.request()
        direct, by_flask = both.answers(method, path, **options)
        assert told(direct, method, path) == told(by_flask, method, path), (method, path, options)
        seen[direct.status_code] += 1
    assert {200, 201, 400, 401, 403, 404, 405, 415, 422} <= seen.keys(), seen


def test_every_route_without_a_slash_in_an_argument_is_direct(venue: Venue) -> None:
    routes = venue.app.wsgi_app._view_of  # type: ignore[attr-defined]
    for resource in RESOURCES:
        for method, rule, view in resource.routes:
            path = rule.replace("<symbol:symbol>", "PETR4").replace("<order_id:order_id>", "7")
            path = path.replace("<broker_id:broker_id>", "7").replace("<key_id:key_id>", "7")
            path = path.replace("<user_id:user_id>", "7").replace("<session_id:session_id>", "7")
            path = path.replace("<delivery_id:delivery_id>", "7").replace("<trade_id:trade_id>", "7")
            found = routes({"REQUEST_METHOD": method, "PATH_INFO": path})
            assert (found is None) == ("<client_order_id" in rule), rule
            assert found is None or found[0] is view


@pytest.fixture
def table() -> DirectRoutes:
    converters = {"symbol": SymbolConverter, "order_id": IdConverter, "client_order_id": ClientOrderIdConverter}
    table = DirectRoutes(converters)
    for rule in ("/a", "/a/<order_id:order_id>", "/a/<symbol:symbol>/b", "/a/<order_id:order_id>/b/<symbol:one>"):
        table.add("GET", rule, lambda rule=rule, **arguments: rule)  # type: ignore[misc]
    return table


@pytest.mark.parametrize(
    ("path", "rule", "arguments"),
    [
        ("/a", "/a", {}),
        ("/a/7", "/a/<order_id:order_id>", {"order_id": 7}),
        ("/a/007", "/a/<order_id:order_id>", {"order_id": 7}),
        ("/a/petr4/b", "/a/<symbol:symbol>/b", {"symbol": "PETR4"}),
        ("/a/7/b/x", "/a/<order_id:order_id>/b/<symbol:one>", {"order_id": 7, "one": "X"}),
    ],
)
def test_arguments_are_what_the_converters_make_of_them(
    table: DirectRoutes, path: str, rule: str, arguments: dict[str, Any]
) -> None:
    found = table.view_of({"REQUEST_METHOD": "GET", "PATH_INFO": path})
    assert found is not None
    assert (found[0](), found[1]) == (rule, arguments)


@pytest.mark.parametrize("path", ["/", "/a/", "/a/x", "//a", "/a//b", "/a/7/", "/a/%37", "/a/é", "/A", "/a/7/c", ""])
def test_all_else_is_flasks(table: DirectRoutes, path: str) -> None:
    assert table.view_of({"REQUEST_METHOD": "GET", "PATH_INFO": path}) is None
    assert table.view_of({"REQUEST_METHOD": "PUT", "PATH_INFO": "/a"}) is None
