"""The keys of demo brokers, kept in the data folder so that later starts can show them again."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from machine.secret import write_private

KEYS_FILE = "demo.json"


@dataclass(frozen=True)
class DemoBroker:
    """A broker of the demo, and what it authenticates with."""

    name: str
    broker_id: int
    api_key: str


@dataclass(frozen=True)
class DemoKeys:
    """All brokers of the demo in one database."""

    brokers: tuple[DemoBroker, ...]


def keep_keys(folder: Path, keys: DemoKeys) -> None:
    """Add these to what the data folder knows: it may serve several databases, and the others' keys stay good."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = {"databases": [asdict(keys), *(asdict(known) for known in all_known_keys(folder))]}
    write_private(folder / KEYS_FILE, json.dumps(kept, indent=1) + "\n")


def all_known_keys(folder: Path) -> list[DemoKeys]:
    """The keys of every database that was given a demo from this data folder, the newest first."""
    with contextlib.suppress(FileNotFoundError, ValueError, KeyError, TypeError):
        kept = json.loads((folder / KEYS_FILE).read_text(encoding="utf-8"))
        return [_read(written) for written in kept.get("databases", [kept])]
    return []


def known_keys(folder: Path) -> DemoKeys | None:
    """The newest keys that were kept in the data folder, if any."""
    return next(iter(all_known_keys(folder)), None)


def _read(kept: dict[str, Any]) -> DemoKeys:
    names = [field.name for field in fields(DemoBroker)]
    return DemoKeys(tuple(DemoBroker(**{name: broker[name] for name in names}) for broker in kept["brokers"]))
