"""Place many orders with one request. They take the same way as single ones, and each has its own answer."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from api.access.auth import refuse_suspended
from api.access.resource import Resource
from api.access.rights import Access
from api.components import components
from api.http.answers import Answer, answer
from api.http.errors import problem_for
from api.http.problems import InvalidRequest
from api.trading.batch_schemas import BatchAnswerSchema, BatchSchema
from api.trading.orders import new_order, placed_document
from services.errors import Failed, MarketError, Unavailable
from services.order_entry.placing.answers import Placed
from services.order_entry.requests import NewOrder, OrderRequest
from serving.present import pause

Outcome = Placed | MarketError | Failed

blueprint = Resource("order batches", __name__, url_prefix="/api/v1", description="Many orders at once.")


@blueprint.open_to(Access.TRADE, "/orders/batch", "POST", charged=False)
@blueprint.arguments(BatchSchema)
@blueprint.response(200, BatchAnswerSchema)
def place_batch(batch: dict[str, Any]) -> Answer:
    """Place up to 500 orders

    Each is answered as if it had come alone, in the same order: one that is refused does not keep the others back.
    Those that were accepted are stored and reserved before this answers. Only when nothing at all could be taken,
    because the exchange is away or its queue too deep, the whole batch is refused.
    """
    requests: Sequence[OrderRequest | InvalidRequest] = batch["orders"]
    refuse_suspended()
    valid = {n: new_order(request) for n, request in enumerate(requests) if isinstance(request, OrderRequest)}
    placed = dict(zip(valid, _place(list(valid.values())), strict=True))
    return answer({"results": list(_results(requests, placed))})


def _place(orders: Sequence[NewOrder]) -> Sequence[Outcome]:
    if not orders:
        return []
    answers = components().intake.place(orders)
    failures = [each for each in answers if isinstance(each, Failed | Unavailable)]
    errors = [failure.error if isinstance(failure, Failed) else failure for failure in failures]
    if len(errors) == len(answers):
        raise errors[0]
    return answers


def _results(
    requests: Sequence[OrderRequest | InvalidRequest], placed: Mapping[int, Outcome]
) -> Iterator[dict[str, Any]]:
    for n, request in enumerate(requests):
        pause()
        yield _result(request, placed.get(n))


def _result(request: OrderRequest | InvalidRequest, placed: Outcome | None) -> dict[str, Any]:
    if isinstance(request, OrderRequest) and isinstance(placed, Placed):
        order, status = placed_document(request, placed)
        return {"status": status, "order": order}
    problem = problem_for(_error_of(request, placed))
    return {"status": problem["status"], "problem": problem}


def _error_of(request: OrderRequest | InvalidRequest, placed: Outcome | None) -> BaseException:
    """Why an order was not placed: it was none, it was refused, or its storing failed."""
    if isinstance(request, InvalidRequest):
        return request
    if isinstance(placed, Failed):
        return placed.error
    assert isinstance(placed, MarketError)  # noqa: S101 - what was placed is no error, and every order got an answer
    return placed
