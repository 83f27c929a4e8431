"""JSON as it should be: RFC 8259 without what readers disagree about.

A key given twice, NaN, a whole number too long for any field: each becomes a value that no field accepts, so that the
schema names the field together with all others at fault. A key that is no text (half of a character) cannot be named,
nor anything below it, so the whole body is refused.
"""

import json
import re
from typing import Any, Final

import orjson

from api.http.problems import InvalidRequest, NotAnObject, NotJson

LONGEST_NUMBER: Final = 20
"""Digits; everything longer is beyond 2^63 anyhow, and reading thousands of them takes time."""

TOO_LONG: Final = 10**LONGEST_NUMBER

MOST_BRACKETS: Final = 40_000
"""Beginnings of objects and arrays in one body, far beyond what any has: each costs as much as many letters."""

ZEROS: Final = bytes.maketrans(b"123456789", b"000000000")
LONG: Final = b"0" * 16
LONG_NUMBER: Final = re.compile(rb"(?:^|[^0-9A-Za-z_\"])0{16}")
"""Digits in a row, whichever they are, that may be a number beyond 2^53; most that are that long begin a text."""

SPACE: Final = b" \t\r\n"
NAME_END: Final = b'":'
"""Where the name of a member ends. A text may have it, too: where names are counted, it makes them too many."""

NESTS: Final = frozenset({dict, list})

SURROGATE: Final = re.compile("[\ud800-\udfff]")
"""Half of a character: JSON can spell it (`"\\ud800"`), but UTF-8 cannot, so no answer could repeat it."""


class Repeated:
    """Stands for the value of a key that was given more than once."""


REPEATED: Final = Repeated()


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object that `body` holds.

    Raises NotJson, NotAnObject, and InvalidRequest for one that is nested too deeply, has too many parts, or a key that
    is no text.
    """
    if body.count(b"{") + body.count(b"[") > MOST_BRACKETS:
        raise InvalidRequest("The body has too many objects and arrays.")
    try:
        document = _plain(body)
        if document is None:
            document = json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_int=_whole_number)
    except RecursionError as error:
        raise InvalidRequest("The body is nested too deeply.") from error
    except ValueError as error:  # also what is not UTF-8
        raise NotJson(f"The body is not JSON: {error}.") from error
    if not isinstance(document, dict):
        raise NotAnObject
    return document


def _plain(body: bytes) -> Any:
    """What a body holds, in a tenth of the time; None where it may have anything that readers disagree about.

    Where no more names are written than there are in the end, none was given twice.
    """
    digits = body.translate(ZEROS)
    if LONG in digits and LONG_NUMBER.search(digits):
        return None
    try:
        document = orjson.loads(body)
    except ValueError:
        return None  # also half of a character, and too deep a nest
    return document if _names_in(document) == body.translate(None, SPACE).count(NAME_END) else None


def _names_in(document: Any) -> int:
    if type(document) is dict:
        return len(document) + sum([_names_in(value) for value in document.values() if type(value) in NESTS])
    return sum([_names_in(value) for value in document if type(value) in NESTS]) if type(document) is list else 0


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    for name in members:
        if not name.isascii() and SURROGATE.search(name):
            raise InvalidRequest("The name of a member has half of a character: a lone surrogate.")
    if len(members) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                members[name] = REPEATED
            seen.add(name)
    return members


def _whole_number(digits: str) -> int:
    return int(digits) if len(digits) <= LONGEST_NUMBER else TOO_LONG
