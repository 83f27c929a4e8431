"""Who may do what: the one table of it."""

from enum import Enum
from itertools import combinations
from typing import Final

from services.identity.people.roles import ADMIN, CLEARING, OPERATOR, ROLES, TRADER
from services.identity.scopes import ALL, CANCEL, READ, SCOPES, TRADE


class Access(Enum):
    """Who may use a route."""

    ANYONE = "anyone"
    KEY = "anyone with a key that may read, or logged in"
    MARKET = "anyone where market data is public, else anyone with a key that may read, or logged in"
    PERSON = "anyone logged in"
    READ = "a broker, to read"
    ORDERS = "a broker, to read orders"
    TRADE = "a broker, to trade"
    CANCEL = "a broker, to cancel"
    KEYS = "a broker, to make and end keys"
    CLEARING = "clearing"
    OPERATOR = "operator"
    ADMIN = "admin"
    DEBUG = "admin, where debugging is switched on"


OF_PEOPLE: Final = frozenset({Access.PERSON})
OF_BROKERS: Final = frozenset({Access.READ, Access.ORDERS, Access.TRADE, Access.CANCEL, Access.KEYS})
OF_THE_EXCHANGE: Final = frozenset({Access.CLEARING, Access.OPERATOR, Access.ADMIN, Access.DEBUG})

NEEDED: Final[dict[Access, tuple[frozenset[str], ...]]] = {
    Access.KEY: (frozenset({READ}),),
    Access.MARKET: (frozenset({READ}),),
    Access.READ: (frozenset({READ}),),
    Access.ORDERS: (frozenset({READ}), frozenset({CANCEL})),
    Access.TRADE: (frozenset({TRADE}),),
    Access.CANCEL: (frozenset({CANCEL}),),
    Access.KEYS: (ALL,),
}
"""Scopes of a broker's key: all of one of these. Whoever makes keys could give itself any scope, so it has all."""

KEYS_THERE_ARE: Final = [frozenset(some) for count in range(len(SCOPES) + 1) for some in combinations(SCOPES, count)]

ENOUGH: Final = {
    access: frozenset(scopes for scopes in KEYS_THERE_ARE if any(one <= scopes for one in needed))
    for access, needed in NEEDED.items()
}
"""Every set of scopes that will do."""


ROLES_OF: Final[dict[Access, tuple[str, ...]]] = {
    Access.KEY: ROLES,
    Access.MARKET: ROLES,
    Access.PERSON: ROLES,
    **dict.fromkeys(OF_BROKERS, (TRADER,)),
    Access.CLEARING: (CLEARING, ADMIN),
    Access.OPERATOR: (OPERATOR, ADMIN),
    Access.ADMIN: (ADMIN,),
    Access.DEBUG: (ADMIN,),
}
"""Roles of people: any of these. A trader has every scope. The administrator's key may what the role may."""


def missing_scope(access: Access, scopes: frozenset[str]) -> str:
    """The first scope that these lack, which are not enough."""
    return next(scope for scope in SCOPES if scope in NEEDED[access][0] - scopes)
