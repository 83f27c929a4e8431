"""What docs/api.md says is there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from api.operations.docs import every_refusal
from settings.loading import ROOT
from tests.api.venue import Venue, an_order, settings_for

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLES = [json.loads(example) for example in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]


@pytest.fixture(scope="module")
def venue(database_url: str, redis_url: str) -> Iterator[Venue]:
    """The application."""
    venue = Venue(settings_for(database_url, redis_url))
    yield venue
    venue.close()


def test_every_call_exists_with_its_parameters(venue: Venue) -> None:
    paths = venue.description.document["paths"]
    calls = re.findall(r"\b(GET|POST|PUT|DELETE) (/api/v1/[^\s`?]*)(?:\?(\w+)=)?", PAGE)
    assert len(calls) > 20
    for method, path, parameter in calls:
        operation = paths[path][method.lower()]
        assert not parameter or parameter in {one["name"] for one in operation["parameters"]}, (path, parameter)


def test_every_code_exists_with_its_status() -> None:
    statuses = {kind.code(): str(getattr(kind, "status", "")) for kind in every_refusal()}
    named = re.findall(r"\b([1-5]\d\d)\s`([a-z_]+)`(?:, `([a-z_]+)`)?", PAGE)
    assert len(named) > 10
    for status, *codes in named:
        for code in filter(None, codes):
            assert statuses[code] in (status, ""), code


def test_what_one_logs_in_with_is_as_shown(venue: Venue) -> None:
    (shown,) = (example for example in EXAMPLES if "access_token" in example)
    answer = venue.person().log_in().json
    assert answer.keys() == shown.keys()
    assert answer["user"].keys() == shown["user"].keys()
    assert (answer["token_type"], answer["expires_in"]) == (shown["token_type"], shown["expires_in"])


def test_the_problem_is_a_real_one(venue: Venue) -> None:
    (shown,) = (example for example in EXAMPLES if "code" in example)
    venue.list(symbol="PETR4")
    answer = venue.broker().post("/orders", an_order("bid", "PETR4", 100, 3_900))
    assert {**answer.json, "request_id": ""} == {**shown, "request_id": ""}


def test_a_fill_is_explained_as_shown(venue: Venue) -> None:
    (shown,) = (example for example in EXAMPLES if "price_rule" in example)
    stock = venue.list(symbol=shown["symbol"])
    seller, other, buyer = venue.broker(shares={stock: 1_000}), venue.broker(shares={stock: 1_000}), venue.broker()
    venue.admin.put(f"/brokers/{buyer.broker_id}/fees", {"maker_bps": 0, "taker_bps": 3})
    seller.order("ask", stock, 300, 3_642)
    other.order("ask", stock, 900, 3_643)
    venue.match()
    buyer.order("bid", stock, 500, 3_644)
    venue.match()
    told = buyer.get(f"/trades/{buyer.get('/trades')['items'][-1]['trade_id']}/explain")
    told["order"] = {name: told["order"][name] for name in shown["order"]}
    assert without_numbers(told) == without_numbers(shown)


def without_numbers(told: Any, name: str = "") -> Any:
    """The same without the ids and the times that are others every time."""
    if isinstance(told, dict):
        return {key: without_numbers(value, key) for key, value in told.items()}
    if isinstance(told, list):
        return [without_numbers(each) for each in told]
    return "" if told is not None and (name.endswith(("_id", "_at"))) else told


def test_links_lead_somewhere() -> None:
    for file, _, heading in re.findall(r"\]\(([\w.-]+\.md)(#([\w-]+))?\)", PAGE):
        text = (ROOT / "docs" / file).read_text(encoding="utf-8")
        assert not heading or re.search(rf"^#+ {heading}$", text, re.MULTILINE | re.IGNORECASE), heading
