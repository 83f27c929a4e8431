"""Who is connected with which key or session, so that whoever may not be here any more is gone within seconds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from sqlalchemy import Engine

from database.autocommit import autocommitting
from live.identities import Identities
from live.refusals import (
    ANOTHER_PERSON,
    KEY_EXPIRED,
    KEY_REVOKED,
    NO_TOKEN,
    ROLE_CHANGED,
    SESSION_ENDED,
    TOKEN_EXPIRED,
    refused,
)
from services.identity.api_keys import KeyHolder, hash_of_key, holders_of
from services.identity.people.roles import TRADER
from services.identity.people.session_holders import SessionHolder, sessions_of
from services.identity.people.tokens import is_possible_token

BELIEVED_SECONDS = 5.0
"""How long a key or session is believed that cannot be looked up again."""

WARNED_BEFORE = timedelta(seconds=60)
"""How long before its token's end a socket is told of it."""


@dataclass(frozen=True, slots=True)
class Program:
    """A socket's key, and when it was found to be good; on a steady clock."""

    key_hash: bytes
    broker_id: int
    entered_at: float


@dataclass(slots=True)
class Person:
    """Whose socket it is, when that was found to be so, and until when its access token says so."""

    session_id: int
    user_id: int
    role: str
    broker_id: int | None
    expires_at: datetime
    entered_at: float
    is_warned: bool = False


class Members:
    """The authenticated sockets of this process."""

    def __init__(self, identities: Identities, staying: Engine) -> None:
        """`identities`: of those who come; `staying`: where those of all who are there are looked up."""
        self._identities = identities
        self._staying = staying
        self._programs: dict[str, Program] = {}
        self._people: dict[str, Person] = {}
        self._looked_up_at = time.monotonic()

    def identify(self, credential: str, address: str) -> Program | Person:
        """Whose key or access token it is; `broker_id` is None for people who act for no broker.

        `address` is the peer's. Raises the refusals of `Identities`.
        """
        if is_possible_token(credential):
            return self._person(credential, address)
        now = time.monotonic()
        holder = self._identities.of_key(credential, address)
        return Program(hash_of_key(credential), holder.broker_id, now)

    def enter(self, socket_id: str, who: Program | Person) -> None:
        """Remember a socket that can be told something, and closed, from now on."""
        if isinstance(who, Person):
            self._people[socket_id] = who
        else:
            self._programs[socket_id] = who

    def renew(self, socket_id: str, token: str, address: str) -> datetime:
        """Let a person's socket stay until this access token of the same person ends; when that is.

        Raises the refusals of `Identities.of_token`, `no_token` and `another_person`.
        """
        if socket_id not in self._people:
            raise refused(NO_TOKEN)
        renewed = self._person(token, address)
        known = self._people.get(socket_id)
        if known is not None:
            if renewed.user_id != known.user_id:
                raise refused(ANOTHER_PERSON)
            renewed.role, renewed.broker_id = known.role, known.broker_id  # another one ends it, see `revoke`
            self._people[socket_id] = renewed
        return renewed.expires_at

    def leave(self, socket_id: str) -> None:
        """Forget a socket that is gone."""
        self._programs.pop(socket_id, None)
        self._people.pop(socket_id, None)

    def revoke(self, disconnect: Callable[[str, str], None]) -> None:
        """Look all keys and sessions up again, and disconnect whose is no longer good, with the code of why.

        PostgreSQL is asked even where no socket has either: so it is known whether it answers.
        """
        began = time.monotonic()
        programs, people = {**self._programs}, {**self._people}
        hashes = {program.key_hash for program in programs.values()}
        ids = {person.session_id for person in people.values()}
        with autocommitting(self._staying) as session:
            keys = holders_of(session, hashes)
            sessions = sessions_of(session, ids) if ids else {}
        self._looked_up_at = began
        now = datetime.now(UTC)
        ends = {found: _end_of_key(keys.get(program.key_hash), now) for found, program in programs.items()}
        ends |= {found: _end_of_person(person, sessions, now) for found, person in people.items()}
        _each(partial(disconnect, code, socket_id) for socket_id, code in ends.items() if code)

    def end_expired(self, warn: Callable[[datetime, str], None], disconnect: Callable[[str, str], None]) -> None:
        """Tell sockets whose token ends in a minute, and disconnect those whose token has ended."""
        now = datetime.now(UTC)
        soon = {found: person for found, person in self._people.items() if person.expires_at <= now + WARNED_BEFORE}
        ended = [found for found, person in soon.items() if person.expires_at <= now]
        warned = [found for found, person in soon.items() if not person.is_warned and found not in ended]
        for found in warned:
            soon[found].is_warned = True
        _each(partial(warn, soon[found].expires_at, found) for found in warned)
        _each(partial(disconnect, TOKEN_EXPIRED, found) for found in ended)

    def fail_closed(self, disconnect: Callable[[str], None]) -> None:
        """Disconnect every socket whose key or session nobody has been able to look up for BELIEVED_SECONDS."""
        oldest = time.monotonic() - BELIEVED_SECONDS
        if self._looked_up_at < oldest:
            programs = [found for found, program in self._programs.items() if program.entered_at < oldest]
            people = [found for found, person in self._people.items() if person.entered_at < oldest]
            _each(partial(disconnect, found) for found in (*programs, *people))

    def _person(self, token: str, address: str) -> Person:
        now = time.monotonic()
        holder, said = self._identities.of_token(token, address)
        return Person(holder.session_id, holder.user_id, holder.role, _broker_of(holder), said.expires_at, now)


def _broker_of(holder: SessionHolder) -> int | None:
    """The broker that a person acts for: only traders do."""
    return holder.broker_id if holder.role == TRADER else None


def _each(actions: Iterable[Callable[[], object]]) -> None:
    """Do all of them, also where some fail."""
    errors = []
    for action in list(actions):
        try:
            action()
        except Exception as error:  # noqa: BLE001 - raised below, once the others are done
            errors.append(error)
    if errors:
        raise ExceptionGroup("sockets could not be closed as they should be", errors)


def _end_of_key(holder: KeyHolder | None, now: datetime) -> str | None:
    """The code of why a key is no longer good; None where it is."""
    if holder is None or holder.is_revoked:
        return KEY_REVOKED
    return KEY_EXPIRED if holder.has_ended(now) else None


def _end_of_person(person: Person, sessions: Mapping[int, SessionHolder], now: datetime) -> str | None:
    """The code of why a person may not stay; None for one who may."""
    holder = sessions.get(person.session_id)
    if holder is None or holder.has_ended(now):
        return SESSION_ENDED
    return None if (person.role, person.broker_id) == (holder.role, _broker_of(holder)) else ROLE_CHANGED
