"""What `minex up` says once everything runs."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from cli.local.demo.keys import DemoBroker
from cli.options import for_folder
from cli.terminal import as_called

DOCUMENT_NUMBER = "52998224725"
"""Of the example order: a well-formed CPF of nobody."""

SIMULATED = "a simulator trades (--no-simulator for silence)"


@dataclass(frozen=True)
class Summary:
    """Where the exchange is, and what to authenticate with."""

    url: str
    live_url: str
    log_file: str
    data_folder: str
    pid: int
    seconds: float
    """From the command to everything being up."""
    brokers: tuple[DemoBroker, ...] = ()
    admin_key: str | None = None
    """Only at the start that made it."""
    simulator: bool = False
    """Whether a market lives in the demo's stocks."""
    warning: str = ""
    """What is not as it should be, though everything runs."""

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        return asdict(self) | {"docs_url": f"{self.url}/docs", "health_url": f"{self.url}/health"}

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> Summary:
        """The summary that `as_json` made these fields of."""
        own = {name: fields[name] for name in cls.__dataclass_fields__}
        return cls(**own | {"brokers": tuple(DemoBroker(**broker) for broker in fields["brokers"])})


def text_of(summary: Summary, log_follows: bool) -> str:
    """The summary for people; the curl command is one line, to be pasted."""
    url = summary.url
    lines = [
        "",
        f"Minex is up: {url}  ({summary.seconds:.1f} s)",
        "",
        *_column(
            ("REST", f"{url}/api/v1"),
            ("Docs", f"{url}/docs  (OpenAPI: {url}/api/v1/openapi.json)"),
            ("Health", f"{url}/health"),
            ("Socket.IO", summary.live_url),
            ("Log", summary.log_file),
            *([("Market", f"alive: {SIMULATED}")] if summary.simulator else []),
        ),
    ]
    if summary.brokers or summary.admin_key:
        lines += ["", "Keys:", *_column(*((broker.name, broker.api_key) for broker in summary.brokers))]
        if summary.admin_key:
            lines += _column(("admin", f"{summary.admin_key}  (shown this once)"))
    if summary.warning:
        lines += ["", f"! {summary.warning[:1].upper()}{summary.warning[1:]}."]
    lines += ["", "An order:", f"  {curl_command(summary)}", ""]
    if log_follows:
        lines.append("Ctrl-C stops it; the log follows.")
    else:
        commands = (for_folder(f"minex {name}", Path(summary.data_folder)) for name in ("status", "down"))
        lines.append(as_called("    ".join(commands)))
    return "\n".join(lines)


def curl_command(summary: Summary) -> str:
    """One order to buy 100 PETR4, as the first demo broker."""
    order = {"document_number": DOCUMENT_NUMBER, "side": "bid", "symbol": "PETR4", "quantity": 100, "price": 3500}
    key = summary.brokers[0].api_key if summary.brokers else "API_KEY"
    return (
        f"curl -sS -X POST {summary.url}/api/v1/orders -H 'Authorization: Bearer {key}'"
        f" -H 'Content-Type: application/json' -d '{json.dumps(order)}'"
    )


def seconds_since_start() -> float:
    """The seconds that this process lives, the making of its environment included: `./minex` only becomes us."""
    return time.time() - float(psutil.Process().create_time())


def _column(*pairs: tuple[str, str]) -> list[str]:
    return [f"  {name:<10} {value}" for name, value in pairs]
