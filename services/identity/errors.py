"""What is refused about keys and people. As in `services.errors`, the class is the code, its docstring the message."""

from services.errors import Conflict, Forbidden, Invalid, NoLongerValid, NotAuthenticated, Unavailable, Unknown


class TooManyKeys(Invalid):
    """The broker has as many keys as it may have; one that ends makes room."""


class KeyRevoked(NoLongerValid):
    """This API key was revoked."""


class KeyExpired(NoLongerValid):
    """The time of this API key is over."""


class ScopeMissing(Forbidden):
    """This API key is not for that; `scope` says which one it lacks."""


class AddressNotAllowed(Forbidden):
    """This API key may not be used from this address."""


class KeyTooWide(Forbidden):
    """A key makes no key with more scopes, a later end or more addresses than its own."""


class NotYourKey(Forbidden):
    """This key belongs to another broker."""


class KeyEnded(Conflict):
    """This key was revoked, or its time is over: there is nothing to rotate."""


class UnknownApiKey(Unknown):
    """There is no such key."""


class InvalidCredentials(NotAuthenticated):
    """There is no such person with this password."""


class TokenExpired(NoLongerValid):
    """The time of this access token is over: refresh it."""


class SessionEnded(NoLongerValid):
    """This session has ended: log in again."""


class RefreshReused(NoLongerValid):
    """This refresh token was used before: somebody else may have it, so the whole session has ended. Log in again."""


class WrongPassword(Forbidden):
    """The current password is another one."""


class RoleMissing(Forbidden):
    """This is for another role; `role` says for which."""


class CommonPassword(Invalid):
    """This password is guessed soon: take a longer one, or other words."""


class BrokerNeeded(Invalid):
    """A trader trades for a broker: say for which."""


class UsernameTaken(Conflict):
    """Somebody has this name."""


class UnknownUser(Unknown):
    """There is no such person."""


class UnknownSession(Unknown):
    """There is no such session."""


class NotYourSession(Forbidden):
    """This session is somebody else's."""


class LogInsBusy(Unavailable):
    """More passwords wait to be looked at than can be in a few seconds; nothing was counted, try again."""


class LogInsClosed(Unavailable):
    """Nobody can log in here: this exchange has no secret to sign tokens with."""


class LimitInUse(Conflict):
    """More is owed, or sold short, than this limit would allow."""
