"""Lists as CSV (RFC 4180), for whoever asks for text/csv: numbers are bare, and no text is taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any, Final

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from api.http.answers import JSON, Answer
from api.http.calls import present

CSV: Final = "text/csv"
FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")
"""How texts begin that a spreadsheet works out."""


def wants_csv() -> bool:
    """True if the present request would rather have CSV than JSON."""
    accepted = present().environ.get("HTTP_ACCEPT", "")
    return bool(accepted) and parse_accept_header(accepted, MIMEAccept).best_match([JSON, CSV]) == CSV


def csv_answer(columns: Sequence[str], items: Iterable[dict[str, Any]], headers: dict[str, str]) -> Answer:
    """These columns of the items; null is an empty cell."""
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(columns)
    writer.writerows([_cell(item[column]) for column in columns] for item in items)
    return Answer(200, written.getvalue().encode(), headers, f"{CSV}; charset=utf-8")


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"  # as JSON has it
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULAS) else value
