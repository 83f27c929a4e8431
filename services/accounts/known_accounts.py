"""Accounts that are known to be open: none is ever closed, so whoever has seen one need not look again."""

from collections.abc import Iterable
from typing import Final

MOST: Final = 200_000
"""Accounts remembered, some 30 MB; beyond that the memory starts anew."""


class KnownAccounts(set[tuple[int, int]]):
    """(broker id, asset id) of each."""

    def know(self, accounts: Iterable[tuple[int, int]]) -> None:
        """Remember that these are open."""
        if len(self) > MOST:
            self.clear()
        self.update(accounts)
