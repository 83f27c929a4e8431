"""Going on behind a number: whether there is anything to go on from."""

from dataclasses import dataclass
from typing import Final

from services.errors import StartAnew

FIRST: Final = 1
"""Every series begins with it."""


@dataclass(frozen=True, slots=True)
class Series:
    """Gapless numbers as they are now: of which epoch, and the first and last that there are."""

    epoch: str
    oldest: int
    newest: int

    def go_on(self, after: int, epoch: str | None) -> None:
        """Raises StartAnew where nobody can go on behind `after` of `epoch` (None: of whichever there is)."""
        if epoch not in (None, self.epoch):
            detail = f"The numbers are of the epoch {self.epoch} now."
        elif after > self.newest:
            detail = f"There is no number {after} yet: the last one is {self.newest}."
        elif after < self.oldest - 1:
            detail = f"What came behind {after} is no longer kept: the first one is {self.oldest}."
        else:
            return
        raise StartAnew(detail, epoch=self.epoch, oldest=self.oldest, newest=self.newest)
