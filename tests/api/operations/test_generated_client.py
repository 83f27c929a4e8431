"""A client that is generated from the OpenAPI document, as strangers do, trades with the application."""

from __future__ import annotations

import importlib
import json
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from openapi_python_client import MetaType, generate
from openapi_python_client.config import Config, ConfigFile
from werkzeug.serving import make_server

from tests.api.venue import Caller, Venue

PACKAGE = "minex_generated"


@pytest.fixture(scope="module")
def generated(venue: Venue, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    """Imports a module of the client, by its name within it."""
    folder = tmp_path_factory.mktemp("generated")
    document = folder / "openapi.json"
    document.write_text(json.dumps(venue.app.test_client().get("/api/v1/openapi.json").json), encoding="utf-8")
    config = Config.from_sources(
        ConfigFile(post_hooks=[]), MetaType.NONE, document, "utf-8", overwrite=False, output_path=folder / PACKAGE
    )
    assert generate(config=config) == []
    sys.path.insert(0, str(folder))
    yield lambda name: importlib.import_module(f"{PACKAGE}.{name}")
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def address(venue: Venue) -> Iterator[str]:
    """Where the application is served, and matched all the time."""
    server = make_server("127.0.0.1", 0, venue.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with venue.matching():
        yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def stock(venue: Venue) -> str:
    """What is traded."""
    return venue.list(symbol="PETR4")


def test_places_waits_reads_fills_lists_and_cancels(
    venue: Venue, generated: Callable[[str], Any], address: str, stock: str
) -> None:
    models, client_of = generated("models"), generated("client").AuthenticatedClient
    place, list_orders = generated("api.orders.place_order"), generated("api.orders.list_orders")

    def order(side: Any, quantity: int, price: int, **more: Any) -> Any:
        return models.NewOrder(document_number="1", side=side, symbol=stock, quantity=quantity, price=price, **more)

    def client(broker: Caller) -> Any:
        return client_of(base_url=address, token=broker.key or "", raise_on_unexpected_status=True)

    seller, buyer = client(venue.broker(shares={stock: 1_000})), client(venue.broker())
    with seller, buyer:
        rests = place.sync(client=seller, body=order(models.SideWord.ASK, 300, 3_500), prefer="wait=10")
        assert (rests.status, rests.trades) == (models.OrderStatus.OPEN, [])
        bid = order(models.SideWord.BUY, 500, 3_600, client_order_id="first", time_in_force=models.TimeInForce.GTC)
        taken = place.sync_detailed(client=buyer, body=bid, prefer="wait=10")
        assert taken.status_code == 201
        assert (taken.parsed.filled_quantity, taken.parsed.remaining_quantity) == (300, 200)
        assert [(fill.price, fill.quantity, fill.side) for fill in taken.parsed.trades] == [
            (3_500, 300, models.Side.BID)
        ]
        assert place.sync_detailed(client=buyer, body=bid).status_code == 200

        found = list_orders.sync(client=buyer, status=[models.OrderStatus.OPEN], symbol="petr4", limit=10)
        assert [one.client_order_id for one in found.items] == ["first"]
        fills = generated("api.accounts.list_fills").sync(client=buyer, after=0)
        assert [fill.trade_id for fill in fills.items] == [taken.parsed.trades[0].trade_id]

        cancel = generated("api.mass_cancels.cancel_orders").sync_detailed
        kept = cancel(client=buyer, symbol=stock, side=models.SideWord.ASK, prefer="wait=10")
        gone = cancel(client=buyer, symbol=stock, side=models.SideWord.BID, prefer="wait=10")
        assert (kept.parsed.cancelled, gone.parsed.cancelled, gone.parsed.queued) == (0, 1, 0)
        after = generated("api.orders.get_order").sync(order_id=taken.parsed.order_id, client=buyer)
        assert (after.status, after.cancelled_quantity) == (models.OrderStatus.CANCELLED, 200)


def test_reads_a_refusal_with_its_facts(
    venue: Venue, generated: Callable[[str], Any], address: str, stock: str
) -> None:
    models, place = generated("models"), generated("api.orders.place_order")
    broker = venue.broker()
    with generated("client").AuthenticatedClient(base_url=address, token=broker.key or "") as client:
        body = models.NewOrder(
            document_number="1", side=models.SideWord.BID, symbol=stock, quantity=1, price=9_999, client_order_id=None
        )
        problem = place.sync(client=client, body=body)
        assert isinstance(problem, models.Problem)
        assert (problem.status, problem.code) == (422, "price_outside_band")
        assert problem["highest_price"] == 3_850
        batch = models.Batch(orders=[body, models.NewOrder.from_dict({**body.to_dict(), "price": 3_500})])
        answer = generated("api.order_batches.place_batch").sync(client=client, body=batch)
        refused, placed = answer.results
        assert (refused.problem.code, placed.order.status) == ("price_outside_band", models.OrderStatus.PENDING)
