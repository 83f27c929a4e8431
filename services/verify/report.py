"""What a verification found: for each invariant, how many rows were looked at, and which of them break it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

FINDINGS_SHOWN = 20
"""Findings kept for one invariant; the others are only counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One row that breaks an invariant: where it is, and what is there instead of what should be."""

    table: str
    row: Mapping[str, Any]
    """The columns that say which row it is."""
    what: str
    found: str
    expected: str

    def __str__(self) -> str:
        where = " ".join(f"{name}={value}" for name, value in self.row.items())
        return f"{self.table} {where}: {self.what} is {self.found}, should be {self.expected}"


@dataclass(slots=True)
class Check:
    """One invariant, as numbered in what is always true."""

    number: int
    title: str
    rows: int = 0
    """Rows looked at."""
    broken: int = 0
    """The number of findings, those not kept included."""
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, finding: Finding) -> None:
        """Count a finding, and keep it if there is room."""
        self.broken += 1
        if len(self.findings) < FINDINGS_SHOWN:
            self.findings.append(finding)

    def require(self, found: Any, expected: Any, what: str, table: str, **row: Any) -> None:
        """Add a finding unless `found` is `expected`."""
        if found != expected:
            self.add(Finding(table, row, what, shown(found), shown(expected)))


@dataclass(slots=True)
class Report:
    """All invariants as of one moment of the database."""

    taken_at: datetime
    replayed: bool
    checks: list[Check] = field(default_factory=list)

    @property
    def broken(self) -> int:
        """Findings in all; 0 when everything that must always be true is true."""
        return sum(check.broken for check in self.checks)

    @property
    def clean(self) -> bool:
        """True if every invariant holds."""
        return not self.broken


def shown(value: Any) -> str:
    """A value as a finding shows it."""
    return "nothing" if value is None else str(value)
