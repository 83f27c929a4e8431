"""For whom `minex simulator` trades: brokers that are named, those of the exchange that runs here, or new ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Final

from cli.exits import FAILED
from cli.local.demo.enrolling import NAMES, enroll
from cli.local.demo.simulator_keys import keys_of
from cli.local.run_state import connected
from cli.order_flow.replay_scene import register_by_admin as register
from cli.terminal import CommandError, say
from client import Exchange
from embedded.folder import data_folder
from settings.sections import Settings
from simulator.traders import MAKERS, PEOPLE

PATIENCE_SECONDS: Final = 5.0
"""For which it is tried again to register a broker."""

VARIABLES: Final = {MAKERS: "MINEX_SIMULATOR_MAKERS_KEY", PEOPLE: "MINEX_SIMULATOR_PEOPLE_KEY"}


def brokers_of(makers_key: str, people_key: str) -> dict[str, str]:
    """The keys that were given; none where neither was. Raises CommandError for one alone."""
    if bool(makers_key) != bool(people_key):
        missing = VARIABLES[PEOPLE if makers_key else MAKERS]
        raise CommandError("The simulator trades for two brokers: name both.", f"{missing}=@FILE minex simulator")
    return {MAKERS: makers_key, PEOPLE: people_key} if makers_key else {}


def keys_here(settings: Settings, symbols: Sequence[str], *, is_here: bool) -> dict[str, str]:
    """The keys of the simulator's own brokers at the exchange that runs here; they have shares of these stocks.

    Raises CommandError where it runs elsewhere, or has none of the stocks.
    """
    if not is_here:
        raise CommandError(
            "Say for whom: name two brokers of that exchange, or let its administrator's key register them.",
            "MINEX_SIMULATOR_MAKERS_KEY=@FILE MINEX_SIMULATOR_PEOPLE_KEY=@FILE minex simulator --url URL",
            "MINEX_ADMIN_KEY=… minex simulator --url URL",
            exit_code=FAILED,
        )
    keys = keys_of(data_folder(settings))
    simulator = dataclasses.replace(settings.simulator, makers_key=keys[MAKERS], people_key=keys[PEOPLE])
    if not enroll(dataclasses.replace(connected(settings), simulator=simulator), symbols):
        raise CommandError(f"None of {', '.join(symbols)} is listed here.", "minex simulator --stocks SYMBOL,…")
    return keys


def register_by_admin(url: str, admin_key: str) -> dict[str, str]:
    """The keys of two new brokers, which may trade without money or shares of their own; they are told.

    Raises what the client raises.
    """
    admin = Exchange(url, admin_key, patience=PATIENCE_SECONDS)
    keys = {kind: register(admin, name) for kind, name in NAMES.items()}
    say("registered two brokers; to trade for them again:")
    for kind, key in keys.items():
        say(f"  export {VARIABLES[kind]}={key}")
    return keys
