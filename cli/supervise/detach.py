"""`minex up --detach`: the supervisor as a daemon, which tells over a pipe how its start goes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cli.local.summary import Summary
from cli.supervise.loop import StartError
from settings.loading import ROOT


class Pipe:
    """The daemon's end: one JSON object a line."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)  # else the pipe would stay open as long as any process of the exchange
        self._descriptor = descriptor

    def step(self, text: str, seconds: float) -> None:
        """A part of the start is done."""
        self._send({"step": text, "seconds": seconds})

    def done(self, summary: Summary) -> None:
        """Everything is up."""
        self._send({"done": summary.as_json()})
        os.close(self._descriptor)

    def failed(self, reason: str) -> None:
        """The start has failed."""
        self._send({"failed": reason})
        os.close(self._descriptor)

    def _send(self, message: dict[str, Any]) -> None:
        try:
            os.write(self._descriptor, (json.dumps(message) + "\n").encode())
        except BrokenPipeError:  # whoever waited for us has gone; the exchange starts all the same
            sys.stderr.write(f"{self._for_log(message)}\n")

    @staticmethod
    def _for_log(message: dict[str, Any]) -> dict[str, Any]:
        """Without the keys, which stay in files of ours alone until somebody asks for them (`minex up`)."""
        if "done" not in message:
            return message
        return {"done": {name: message["done"][name] for name in ("url", "live_url", "pid")}}


def start_daemon(arguments: list[str], log: Path, step: Callable[[str, float], None]) -> Summary:
    """Start `minex up` with these arguments on its own, and wait until it is up. Raises StartError if it fails."""
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    reading, writing = os.pipe()
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as output, os.fdopen(reading, encoding="utf-8") as messages:
        try:
            daemon = subprocess.Popen(
                [sys.executable, "-m", "cli", "up", *arguments, "--report-to", str(writing)],
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                pass_fds=[writing],
            )
        finally:
            os.close(writing)
        try:
            for line in messages:
                message = json.loads(line)
                if "step" in message:
                    step(message["step"], message["seconds"])
                elif "failed" in message:
                    daemon.wait()
                    raise StartError(message["failed"])
                else:
                    daemon.returncode = 0  # it goes on without us; nobody waits for it
                    return Summary.from_json(message["done"])
        except KeyboardInterrupt:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait()
            raise
        daemon.wait()
    raise StartError("the start ended without a word:\n" + "\n".join(log.read_text().splitlines()[-10:]))
