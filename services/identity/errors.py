"""What is refused about keys. As in `services.errors`, the class is the code, its docstring the message."""

from services.errors import Conflict, Forbidden, Invalid, NoLongerValid, Unknown


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
