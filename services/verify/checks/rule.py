"""Rules in SQL: each is a query for the rows that break it, so a clean exchange answers with none.

The database does the work, whatever the number of rows; nothing but the first findings leaves it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from models.accounts.broker import GUARANTEE as GUARANTEE_NAME
from services.verify.report import FINDINGS_SHOWN, Check, Finding, shown

GUARANTEE = f"(SELECT id FROM brokers WHERE id < 0 AND name = '{GUARANTEE_NAME}')"  # noqa: S608 - a name of ours
"""The account that advances what debtors lack; no deposit lies behind what it lends."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Selects the broken rows of `table`: the columns that name the row, then `what`, `found` and `expected`."""

    table: str
    query: str


def search(session: Session, check: Check, rules: Iterable[Rule]) -> None:
    """Add to `check` what breaks the rules."""
    for rule in rules:
        first = text(f"""
            WITH broken AS MATERIALIZED ({rule.query})
            SELECT broken.*, count(*) OVER () AS broken_rows FROM broken LIMIT {FINDINGS_SHOWN}
        """)  # noqa: S608 - constants of this package
        for number, row in enumerate(session.execute(first).mappings()):
            named = dict(row)
            if number == 0:
                check.broken += named["broken_rows"]
            del named["broken_rows"]
            what, found, expected = (named.pop(name) for name in ("what", "found", "expected"))
            if len(check.findings) < FINDINGS_SHOWN:
                check.findings.append(Finding(rule.table, named, what, shown(found), shown(expected)))


def count(session: Session, tables: Iterable[str]) -> int:
    """The number of rows in these tables."""
    numbers = (session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables)  # noqa: S608 - constants of this package
    return sum(numbers)
