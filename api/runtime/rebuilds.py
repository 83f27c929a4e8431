"""Few books are put together as they were at the same time: it takes a processor for as long as it lasts."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from services.accounts.errors import ExplanationsBusy
from serving.places import NoPlaceError, Places

AT_ONCE: Final = 2
PATIENCE_SECONDS: Final = 5.0


class Rebuilds:
    """Of one process. Those who wait go in turn by payer, each with one at a time."""

    def __init__(self) -> None:
        self._places = Places(AT_ONCE, PATIENCE_SECONDS, of_one=1)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Once it is one's turn, for as long as the block takes. Raises ExplanationsBusy."""
        place = self._places.one()
        try:
            place.__enter__()
        except NoPlaceError as error:
            raise ExplanationsBusy from error
        try:
            yield
        finally:
            place.__exit__()
