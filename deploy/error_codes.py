"""Writes docs/errors.md: every code that the exchange refuses with.

    .venv/bin/python -m deploy.error_codes

The codes are the classes of refusals, their meanings what these say of themselves: what /docs/errors shows, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import api.routes  # noqa: F401 - every refusal is known once all routes are
from api.operations.docs import meanings_of_reasons, refusals_by_code, status_of_kind
from live.refusals import SENTENCES

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "errors.md"

HEAD = """# Error codes

Written by `python -m deploy.error_codes`; a running exchange shows the same at `/docs/errors`. The `code` of a problem
(RFC 9457) is stable, its texts are for people. What each operation may answer is in the OpenAPI document.

## REST

| code | status | meaning |
|---|---|---|
"""

REASONS = """
## What the book says

The `reason` of a refused amendment, cancel or change of state, and the `reject_code` of a rejected order.

| code | meaning |
|---|---|
"""

SOCKETS = """
## Socket.IO

Of CONNECT_ERROR, of an acknowledgement with an `error`, and of CLOSED: [socketio.md](socketio.md) says when each comes.

| code | meaning |
|---|---|
"""


def text() -> str:
    """The whole page."""
    rest = (
        f"| `{code}` | {status_of_kind(kind)} | {kind.message()} |" for code, kind in sorted(refusals_by_code().items())
    )
    return HEAD + _lines(rest) + REASONS + _lines(_rows(meanings_of_reasons())) + SOCKETS + _lines(_rows(SENTENCES))


def _rows(meanings: dict[str, str]) -> Iterator[str]:
    return (f"| `{code}` | {meaning} |" for code, meaning in sorted(meanings.items()))


def _lines(lines: Iterator[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
