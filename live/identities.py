"""Who somebody is that comes with a key or an access token, and whether it may come in."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Engine

from database.autocommit import autocommitting
from live.refusals import BROKER_ONLY, SCOPE_MISSING, TOO_MANY_REQUESTS, UNAUTHENTICATED, refused
from queues.limits.unknown_keys import UnknownKeys
from services.errors import NoLongerValid
from services.identity.admin_key import is_admin_key
from services.identity.api_keys import KeyHolder, holder_of
from services.identity.errors import AddressNotAllowed, SessionEnded
from services.identity.people.session_holders import SessionHolder, sessions_of
from services.identity.people.tokens import AccessToken, Tokens
from services.identity.scopes import READ
from serving.open_connections import network_of
from serving.places import Places

LOOK_UPS = 4
"""Keys and sessions that are looked up at the same time: who guesses must not take all connections to the database."""


class Identities:
    """Looks up who comes, and counts by address what is not good: after too much of it nothing is looked up."""

    def __init__(self, engine: Engine, unknown_keys: UnknownKeys, admin_key: str, tokens: Tokens) -> None:
        """`admin_key`: the configured one, empty if its hash is stored."""
        self._engine = engine
        self._looking_up = Places(LOOK_UPS)
        self._unknown_keys = unknown_keys
        self._admin_key = admin_key
        self._tokens = tokens

    def of_key(self, key: str, address: str) -> KeyHolder:
        """The broker whose key it is, that is good from there and may read.

        Raises the refusals `unauthenticated`, `key_revoked`, `key_expired`, `address_not_allowed`, `scope_missing`,
        `broker_only` and `too_many_requests`.
        """
        network = self._unguessed(address)
        with self._looking_up.one(), autocommitting(self._engine) as session:
            holder = holder_of(session, key)
            is_admin = holder is None and is_admin_key(session, key, self._admin_key)
        if holder is None:
            if is_admin:
                raise refused(BROKER_ONLY)
            self._unknown_keys.note(network)
            raise refused(UNAUTHENTICATED)
        try:
            holder.refuse_ended(datetime.now(UTC))
            holder.refuse_elsewhere(address)
        except NoLongerValid as ended:
            self._unknown_keys.note(network)
            raise refused(ended.code()) from ended
        except AddressNotAllowed as refusal:
            raise refused(refusal.code()) from refusal
        if READ not in holder.reach.scopes:
            raise refused(SCOPE_MISSING, scope=READ)
        return holder

    def of_token(self, token: str, address: str) -> tuple[SessionHolder, AccessToken]:
        """The person whose access token it is, and what that says.

        Raises the refusals `unauthenticated`, `token_expired`, `session_ended` and `too_many_requests`.
        """
        network = self._unguessed(address)
        try:
            said = self._tokens.read_access(token)
            if said is None:
                self._unknown_keys.note(network)
                raise refused(UNAUTHENTICATED)
            with self._looking_up.one(), autocommitting(self._engine) as session:
                holder = sessions_of(session, [said.session_id]).get(said.session_id)
            if holder is None or holder.user_id != said.user_id or holder.has_ended(datetime.now(UTC)):
                raise SessionEnded
        except NoLongerValid as ended:
            raise refused(ended.code()) from ended
        return holder, said

    def _unguessed(self, address: str) -> str:
        """The network that `address` is counted by. Raises the refusal `too_many_requests`."""
        network = network_of(address)
        seconds = self._unknown_keys.seconds_to_wait(network)
        if seconds:
            raise refused(TOO_MANY_REQUESTS, retry_after=seconds)
        return network
