"""Look people's sessions up, and believe the answers for a moment."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from api.runtime.callers import Caller, goes_on
from api.runtime.database import Database
from api.runtime.remembered import Remembered
from services.identity.errors import SessionEnded
from services.identity.people.session_holders import sessions_of
from services.identity.people.tokens import AccessToken, Tokens
from serving.places import Places
from settings.sections import Settings

LOOK_UPS = 2
"""Sessions that are looked up at the same time."""


class Sessions:
    """The sessions that access tokens name, remembered by their ids: another role holds within the time of a cache."""

    def __init__(self, database: Database, tokens: Tokens, settings: Settings) -> None:
        self._database = database
        self._fees = settings.fees
        self._tokens = tokens
        self.remembered: Remembered[int, Caller] = Remembered(self._ask, goes_on, settings.web.key_cache_ms)
        self._looking_up = Places(LOOK_UPS)

    def caller_of(self, token: str) -> Caller | None:
        """The person who has this access token; None for what is none of ours. Raises TokenExpired, SessionEnded."""
        said = self._tokens.read_access(token)
        if said is None:
            return None
        return _of(said, self.remembered.get(said.session_id) or self._learn(said.session_id))

    def caller_now(self, token: str) -> Caller | None:
        """The same, asked of the database whatever is remembered."""
        said = self._tokens.read_access(token)
        return None if said is None else _of(said, self._learn(said.session_id))

    def forget(self) -> None:
        """Remember nothing, nor what is being looked up just now."""
        self.remembered.forget()

    def _learn(self, session_id: int) -> Caller | None:
        return self.remembered.learn(session_id, partial(self._look_up, session_id))

    def _look_up(self, session_id: int) -> Caller | None:
        with self._looking_up.one():
            return self._ask({session_id}).get(session_id)

    def _ask(self, ids: set[int]) -> Mapping[int, Caller]:
        with self._database.looking() as session:
            return {found: Caller.of_session(holder, self._fees) for found, holder in sessions_of(session, ids).items()}


def _of(said: AccessToken, caller: Caller | None) -> Caller:
    """The caller whose token it is. Raises SessionEnded, also where a database of before was brought back."""
    session = None if caller is None else caller.session
    if caller is None or session is None or session.user_id != said.user_id or not goes_on(caller):
        raise SessionEnded
    return caller
