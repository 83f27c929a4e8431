"""The direct way from a request to its view: one look-up in a table instead of Flask's way through contexts and rules.

Flask serves the same views by the same rules. What does not match one of them to the letter goes to Flask.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from werkzeug.routing import BaseConverter, Map

from api.http.answers import Answer
from api.http.calls import Environ

View = Callable[..., Answer]

PART = re.compile(r"<(\w+):(\w+)>")

PLAIN = re.compile(r"[0-9A-Za-z.~_-]{1,64}")
"""What an argument may hold here: characters that stand for themselves everywhere."""


class DirectRoutes:
    """Views by method and path."""

    def __init__(self, converters: Mapping[str, type[BaseConverter]]) -> None:
        """`converters` are those of the application: what each makes of its part of a path."""
        nowhere = Map()
        self._converters = {kind: converter(nowhere) for kind, converter in converters.items()}
        self._exact: dict[tuple[str, str], View] = {}
        self._places: dict[tuple[str, int], list[tuple[int, ...]]] = {}
        """Which parts of a path of so many parts may be arguments."""
        self._shaped: dict[tuple[str, ...], tuple[View, list[_Argument]]] = {}
        """By method and the parts of a path, those that are arguments left empty."""

    def add(self, method: str, rule: str, view: View) -> None:
        """Let requests with this method and path reach `view`, if no argument of the rule may hold a slash."""
        parts = rule.split("/")
        arguments = []
        for place, part in enumerate(parts):
            found = PART.fullmatch(part)
            if found is not None:
                converter = self._converters[found[1]]
                if not converter.part_isolating:
                    return
                arguments.append(_Argument(place, found[2], re.compile(converter.regex), converter.to_python))
                parts[place] = ""
        if not arguments:
            self._exact[method, rule] = view
            return
        places = tuple(argument.place for argument in arguments)
        known = self._places.setdefault((method, len(parts)), [])
        if places not in known:
            known.append(places)
        self._shaped[method, *parts] = view, arguments

    def view_of(self, environ: Environ) -> tuple[View, dict[str, Any]] | None:
        """The view of this request and its arguments; None for a request of Flask's."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        view = self._exact.get((method, path))
        if view is not None:
            return view, {}
        parts = path.split("/")
        for places in self._places.get((method, len(parts)), ()):
            shape = [*parts]
            for place in places:
                shape[place] = ""
            found = self._shaped.get((method, *shape))
            if found is not None:
                return _with_arguments(*found, parts)
        return None


class _Argument(NamedTuple):
    """What one part of a path is to a view."""

    place: int
    name: str
    pattern: re.Pattern[str]
    converted: Callable[[str], Any]


def _with_arguments(view: View, arguments: list[_Argument], parts: list[str]) -> tuple[View, dict[str, Any]] | None:
    values = {}
    for place, name, pattern, converted in arguments:
        part = parts[place]
        if not PLAIN.fullmatch(part) or not pattern.fullmatch(part):
            return None
        values[name] = converted(part)
    return view, values
