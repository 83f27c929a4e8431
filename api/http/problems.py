"""What the API refuses before the market is asked. The class is the code, its docstring the message."""

from itertools import islice
from typing import Any

from services.errors import MarketError

MOST_NAMES = 5
LONGEST_NAME = 40
"""Fields, and characters of each, that a sentence names."""

MOST_ERRORS = 20
LONGEST_FIELD = 64
MORE = "…"
"""Fields, and characters of each, that `errors` names, and under which name it says how many more there are. Nothing
that somebody sends is answered by more than he sent."""


class Problem(MarketError):
    """The request cannot be answered."""

    status = 400
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed

    def __init__(self, detail: str | None = None, *, errors: dict[str, list[str]] | None = None, **facts: Any) -> None:
        super().__init__(detail, **facts)
        self.errors = errors or {}


class NotJson(Problem):
    """The body is not JSON."""


class NotAnObject(Problem):
    """The body must be a JSON object."""


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


class PersonOnly(Problem):
    """Only people may do that, who are logged in; this is a key."""

    status = 403


class CsrfMissing(Problem):
    """What a cookie is sent for needs the header X-CSRF-Token, with the value of the cookie minex_csrf."""

    status = 403


class CsrfWrong(Problem):
    """X-CSRF-Token is not the value that belongs to the refresh token."""

    status = 403


class SignUpClosed(Problem):
    """Nobody can sign up here: the exchange's administrator lets people in."""

    status = 403


class NotFound(Problem):
    """There is no such path."""

    status = 404


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


class InvalidRequest(Problem):
    """Some fields are not valid; `errors` names each."""

    status = 422

    def __init__(
        self, detail: str | None = None, *, errors: dict[str, list[str]] | None = None, more: int = 0, **facts: Any
    ) -> None:
        """`more`: fields at fault that are not in `errors`."""
        sentence = _named(errors, more) if errors else None
        super().__init__(detail or sentence, errors=bounded(errors or {}, more), **facts)


class BodyNotExpected(Problem):
    """This operation takes no body: what is in it would not be heeded, so nothing was done."""

    status = 422


class BatchTooLarge(Problem):
    """A batch may not have more orders than the broker may place in a second."""

    status = 422


class InternalError(Problem):
    """The exchange failed to answer; its log has this request_id."""

    status = 500


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


def bounded(errors: dict[str, list[str]], more: int = 0) -> dict[str, list[str]]:
    """The first of the fields at fault, and how many there are besides, of which `more` are not in `errors`."""
    left = len(errors) - MOST_ERRORS + more
    if left <= 0 and all(len(name) <= LONGEST_FIELD for name in errors):
        return errors
    first = {name[:LONGEST_FIELD]: errors[name] for name in islice(errors, MOST_ERRORS)}
    return {**first, MORE: [f"And {left} more."]} if left > 0 else first


def _named(errors: dict[str, list[str]], more: int) -> str:
    """The fields at fault in one sentence, the first few where there are many."""
    names = [name[:LONGEST_NAME] for name in islice(errors, MOST_NAMES)]
    left = len(errors) - len(names) + more
    return f"Not valid: {', '.join(names)}{f' and {left} more' if left else ''}."
