"""What HTTP itself refuses, before any view is asked, and the problem that a bare status stands for."""

from api.http.problems import InternalError, NotFound, Problem


class BadRequest(Problem):
    """The request could not be read as HTTP/1.1."""


class HostMissing(Problem):
    """A request of HTTP/1.1 must have a Host header."""


class BodyIncomplete(Problem):
    """The connection ended before the whole body had arrived."""


class MethodNotAllowed(Problem):
    """This path does not take this method; Allow says which it takes."""

    status = 405


class BodyTooSlow(Problem):
    """The body did not arrive in time."""

    status = 408


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


class HeadersTooLarge(Problem):
    """The headers are more, or longer, than allowed."""

    status = 431


class TransferCodingUnknown(Problem):
    """The body comes in a transfer coding that is not known."""

    status = 501


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
    """The problem for a request that HTTP refused, where only the status is known."""
    return BY_STATUS.get(status, BadRequest if status < 500 else InternalError)()
