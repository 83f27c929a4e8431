"""docs/errors.md has every code that there is."""

from __future__ import annotations

from deploy.error_codes import FILE, text


def test_the_page_is_what_would_be_written() -> None:
    """Where this fails after a new refusal: .venv/bin/python -m deploy.error_codes"""
    assert FILE.read_text(encoding="utf-8") == text()


def test_each_code_has_one_line_and_a_sentence() -> None:
    rows = [line for line in text().splitlines() if line.startswith("| `")]
    assert len(rows) > 120
    assert all(line.endswith((". |", "… |")) for line in rows)
    assert not any("\n" in row or row.count("|") > 4 for row in rows)
