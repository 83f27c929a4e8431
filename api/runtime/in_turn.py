"""A session for reading, for whoever has one of the places."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy.exc import TimeoutError as PoolExhausted

from database.statements import AutocommitSession
from serving.places import NoPlaceError, Places

Opened = Callable[[], AbstractContextManager[AutocommitSession]]
"""Opens a session whose statements are committed one by one."""


class InTurn:
    """A session inside `with`, for whoever has one of the places. Raises PoolExhausted."""

    __slots__ = ("_opened", "_place")

    def __init__(self, places: Places, opened: Opened) -> None:
        self._place = places.one()
        self._opened = opened()

    def __enter__(self) -> AutocommitSession:
        try:
            self._place.__enter__()
        except NoPlaceError as error:
            raise PoolExhausted("others read on all connections") from error
        try:
            return self._opened.__enter__()
        except BaseException:
            self._place.__exit__()
            raise

    def __exit__(self, *raised: Any) -> None:
        try:
            self._opened.__exit__(*raised)
        finally:
            self._place.__exit__()
