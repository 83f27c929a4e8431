"""Whether the exchange that runs here has a simulator, and what its brokers authenticate with."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
from pathlib import Path
from typing import Final

from embedded.folder import data_folder
from machine.secret import kept_secret
from settings.in_public import is_public
from settings.sections import Settings
from simulator.traders import BROKERS, MAKERS, PEOPLE

FILE: Final = "simulator-secret"


def with_simulator(settings: Settings) -> Settings:
    """The settings with a simulator or none, and the keys of its brokers; those that are made stay the same.

    Unless something is said of it there is one where the database is our own, has a demo and is not in public. Raises
    OSError, NotOursError where the secret that keys are made of cannot be kept.
    """
    simulator = dataclasses.replace(settings.simulator, stocks=tuple(map(str.upper, settings.simulator.stocks)))
    enabled = simulator.enabled
    if enabled is None:
        enabled = not settings.database.url and not is_public(settings)
    enabled = enabled and (settings.exchange.demo or bool(simulator.stocks))
    if not enabled:
        return dataclasses.replace(settings, simulator=dataclasses.replace(simulator, enabled=False))
    keys = keys_of(data_folder(settings)) if not (simulator.makers_key and simulator.people_key) else {}
    return dataclasses.replace(
        settings,
        simulator=dataclasses.replace(
            simulator,
            enabled=True,
            makers_key=simulator.makers_key or keys[MAKERS],
            people_key=simulator.people_key or keys[PEOPLE],
        ),
    )


def keys_of(folder: Path) -> dict[str, str]:
    """The keys of its brokers by what they do: the same for all databases of a data folder."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret = kept_secret(folder / FILE).encode()
    digests = {name: hmac.digest(secret, name.encode(), hashlib.sha256) for name in BROKERS}
    return {name: f"mx_{base64.urlsafe_b64encode(digest).decode().rstrip('=')}" for name, digest in digests.items()}
