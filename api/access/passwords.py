"""Look at passwords: guarded against those who guess, beside the loop, and alike for those who are there or not."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from api.components import components
from api.http.calls import present
from api.http.problems import TooManyRequests
from services.identity.errors import InvalidCredentials
from services.identity.people.passwords import hash_of_password, is_outdated, is_password, refuse_common
from services.identity.people.users import LogIn, log_in_of, set_password
from serving.open_connections import network_of


def person_with(username: str, password: str) -> LogIn:
    """The active person with this name and password.

    Raises TooManyRequests after failures, LogInsBusy, and InvalidCredentials: for whoever there is and is not.
    """
    used, address = components(), network_of(present().address)
    guard, hashing = used.log_in_guard, used.hashing
    refuse_until(guard.seconds_to_wait(username, address))  # before anybody waits in line
    with hashing.turn(address):
        with used.database.looking() as session:
            found = log_in_of(session, username)
        refuse_until(guard.begin(username, address))
        try:
            is_right = hashing.apply(partial(is_password, password, found.password_hash if found else None))
        except BaseException:
            guard.undo(username, address)
            raise
        if found is None or not is_right or not found.is_active:
            guard.failed(address)
            raise InvalidCredentials
        guard.succeeded(username, address)
        if is_outdated(found.password_hash):
            hashed = hashing.apply(partial(hash_of_password, password))
            used.database.run(lambda session: set_password(session, found.user_id, hashed))
    return found


def hashed(password: str, username: str, before: Callable[[], None], field: str = "password") -> str:
    """A new password as it is kept. `before` is done once it is its turn. Raises CommonPassword, LogInsBusy."""
    hashing = components().hashing

    def work() -> str:
        refuse_common(password, username, field)
        return hash_of_password(password)

    with hashing.turn(network_of(present().address)):
        before()
        return hashing.apply(work)


def refuse_until(seconds: int) -> None:
    """Raises TooManyRequests if there are seconds to wait."""
    if seconds:
        detail = f"Too many tries: the next is looked at in {seconds} s."
        raise TooManyRequests(detail, extra_headers={"Retry-After": str(seconds)})
