"""One try to tell a receiver something, and what came of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one try: the answer's status, or why there was none."""

    at: datetime
    status_code: int | None
    error: str | None
    milliseconds: int
    retry_after: float | None = None
    """Seconds that the receiver asks to be left alone."""

    @property
    def is_good(self) -> bool:
        """True for any status of success."""
        return self.status_code is not None and 200 <= self.status_code < 300

    @property
    def document(self) -> dict[str, Any]:
        """As the log of deliveries shows it."""
        at = self.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"at": at, "status_code": self.status_code, "error": self.error, "milliseconds": self.milliseconds}
