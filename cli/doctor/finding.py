"""One line of what `minex doctor` says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One line of the list; `mend` says what to do where it is not well."""

    subject: str
    is_well: bool
    found: str
    mend: str = ""
