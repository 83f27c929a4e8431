"""Pages of a list: an opaque cursor, and a Link to the next page (RFC 8288)."""

import base64
import binascii
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlencode

import orjson
from marshmallow import Schema

from api.http.answers import Answer, answer
from api.http.calls import present
from api.http.fields import Text, WholeText
from api.http.problems import InvalidRequest
from serving.present import paced

LARGEST = 2**63 - 1


class PageQuerySchema(Schema):
    """Which page of a list."""

    limit = WholeText(1, 500, load_default=50)
    cursor = Text(1, 200, load_default=None)


def page(documents: Iterable[Any], limit: int, position: Callable[[Any], list[int | str]], **more: Any) -> Answer:
    """A page of at most `limit` of `documents`, of which there is one more than that if there is a next page.

    They are made a few at a time, beside others' requests. `position` says of an item where the page after it begins;
    `more` goes into the body as it is.
    """
    items = list(paced(documents))
    cursor = _cursor(position(items[limit - 1])) if len(items) > limit else None
    body = {"items": items[:limit], "next_cursor": cursor, **more}
    return answer(body, headers={"Link": _next(cursor)} if cursor else None)


def position_in(cursor: str | None, numbers: int, texts: int = 0) -> list[Any] | None:
    """The position that a cursor of ours holds, as so many numbers and then texts. Raises InvalidRequest."""
    if cursor is None:
        return None
    try:
        position = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise _unknown_cursor() from error
    kinds = [*[int] * numbers, *[str] * texts]
    if not isinstance(position, list) or [type(value) for value in position] != kinds:
        raise _unknown_cursor()
    if any(not 0 <= value <= LARGEST for value in position[:numbers]):
        raise _unknown_cursor()
    if any(not value.isprintable() for value in position[numbers:]):
        raise _unknown_cursor()
    return position


def _cursor(position: list[int | str]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(position)).decode().rstrip("=")


def _next(cursor: str) -> str:
    call = present()
    query = [*((name, value) for name, value in call.query() if name != "cursor"), ("cursor", cursor)]
    return f'<{call.environ["PATH_INFO"]}?{urlencode(query)}>; rel="next"'


def _unknown_cursor() -> InvalidRequest:
    return InvalidRequest(errors={"cursor": ["Must be the next_cursor of an earlier page."]})
