"""What the API refuses before the market is asked. The class is the code, its docstring the message."""

from typing import Any

from services.errors import MarketError

MOST_NAMES = 5
LONGEST_NAME = 40
"""Fields, and characters of each, that a sentence names; `errors` has them all."""


class Problem(MarketError):
    """The request cannot be answered."""

    status = 400
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed

    def __init__(self, detail: str | None = None, *, errors: dict[str, list[str]] | None = None, **facts: Any) -> None:
        super().__init__(detail, **facts)
        self.errors = errors or {}


class BadRequest(Problem):
    """The request could not be read as HTTP/1.1."""


class NotJson(Problem):
    """The body is not JSON."""


class NotAnObject(Problem):
    """The body must be a JSON object."""


class HostMissing(Problem):
    """A request of HTTP/1.1 must have a Host header."""


class BodyIncomplete(Problem):
    """The connection ended before the whole body had arrived."""


class Unauthenticated(Problem):
    """A valid API key is needed: Authorization: Bearer <api key>."""

    status = 401
    headers = {"WWW-Authenticate": 'Bearer realm="minex"'}  # noqa: RUF012


class AdminOnly(Problem):
    """Only the exchange's administrator may do that."""

    status = 403


class BrokerOnly(Problem):
    """Only a broker may do that; this key is the administrator's."""

    status = 403


class NotFound(Problem):
    """There is no such path."""

    status = 404


class MethodNotAllowed(Problem):
    """This path does not take this method; Allow says which it takes."""

    status = 405


class BodyTooSlow(Problem):
    """The body did not arrive in time."""

    status = 408


class TooManyRequests(Problem):
    """More was asked for in this time than is allowed; Retry-After says when to go on."""

    status = 429

    def __init__(self, detail: str | None = None, *, extra_headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.headers = extra_headers or {}


class AmendmentRefused(Problem):
    """The book refused the amendment; the order is as it was."""

    status = 409


class CancelRefused(Problem):
    """The book could not carry out the cancel."""

    status = 409


class StateRefused(Problem):
    """The book could not carry out the change; the stock is as it was."""

    status = 409


class LengthRequired(Problem):
    """Chunked bodies are not taken: send a Content-Length."""

    status = 411


class BodyTooLarge(Problem):
    """The body is larger than allowed."""

    status = 413


class UriTooLong(Problem):
    """The path with its query is longer than allowed."""

    status = 414


class UnsupportedMediaType(Problem):
    """The body must be sent as Content-Type: application/json."""

    status = 415


class ExpectationFailed(Problem):
    """The only expectation that can be met is 100-continue."""

    status = 417


class InvalidRequest(Problem):
    """Some fields are not valid; `errors` names each."""

    status = 422

    def __init__(self, detail: str | None = None, *, errors: dict[str, list[str]] | None = None, **facts: Any) -> None:
        super().__init__(detail or (_named(errors) if errors else None), errors=errors, **facts)


class BodyNotExpected(Problem):
    """This operation takes no body: what is in it would not be heeded, so nothing was done."""

    status = 422


class BatchTooLarge(Problem):
    """A batch may not have more orders than the broker may place in a second."""

    status = 422


class HeadersTooLarge(Problem):
    """The headers are more, or longer, than allowed."""

    status = 431


class InternalError(Problem):
    """The exchange failed to answer; its log has this request_id."""

    status = 500


class TransferCodingUnknown(Problem):
    """The body comes in a transfer coding that is not known."""

    status = 501


class Busy(Problem):
    """The exchange's database is away or overloaded; nothing was done. Try again."""

    status = 503
    headers = {"Retry-After": "1"}  # noqa: RUF012


class OutcomeUnknown(Problem):
    """The connection to the database was lost while it stored this.

    It may or may not have been done: ask again with the same client_order_id, or look at your orders.
    """

    status = 503
    headers = {"Retry-After": "1"}  # noqa: RUF012


def _named(errors: dict[str, list[str]]) -> str:
    """The fields at fault in one sentence, the first few where there are many."""
    names = [name[:LONGEST_NAME] for name in errors]
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"Not valid: {', '.join(names[:MOST_NAMES])}{more}."


BY_STATUS: dict[int, type[Problem]] = {
    404: NotFound,
    405: MethodNotAllowed,
    414: UriTooLong,
    417: ExpectationFailed,
    431: HeadersTooLarge,
    500: InternalError,
    501: TransferCodingUnknown,
}
"""What a status says that HTTP itself, and no view, has answered."""


def problem_of_http(status: int) -> Problem:
    """What HTTP refused with that status, where only the status is known."""
    return BY_STATUS.get(status, BadRequest if status < 500 else InternalError)()
