"""What the two embedded servers have in common: one folder, one owner, one address, and how a start and a stop go."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

from embedded.errors import FolderTakenError, ServerStartError
from embedded.server_log import last_lines, opened
from machine.account import Account
from machine.lock import OwnerLock
from machine.ownership import refuse_foreign
from machine.process import die_with_parent, end, inhabitants
from machine.secret import kept_secret

TRIES = 3
"""After a SIGKILL the first start may still meet the old children's memory or port."""


class Server(ABC):
    """A server whose data lives in `folder` and which is a direct child of this process.

    It ends with the thread that started it (Linux). One that outlived its owner all the same is stopped cleanly by
    the next start, never adopted: only a child's death is noticed at once, and its settings may be old.
    """

    program: ClassVar[str]
    """The name of the process, as the kernel knows it."""
    stop_signal: ClassVar[int]
    """What makes the server end cleanly without waiting for its clients."""
    start_seconds: ClassVar[float] = 120.0
    """How long it may take to be ready: recovery after a crash reads the log of all since the last checkpoint."""

    def __init__(self, folder: Path, *, log_file: Path | None = None) -> None:
        self.folder = Path(folder).resolve()
        self.data = self.folder / "data"
        self.log_file = log_file or self.folder / f"{self.program}.log"
        self.account = Account.of_exchange()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = OwnerLock(self.folder / "owner")

    def start(self) -> Self:
        """Come up and be ready for clients; does nothing if it runs already.

        Raises FolderTakenError, PortTakenError or ServerStartError, each a subclass of EmbeddedServerError.
        """
        if self.is_alive():
            return self
        restarted = self._process is not None
        self._take_folder()
        try:
            self._end_left_overs()
            for place in self.folder.iterdir():
                self.account.take_over(place)
            self._prepare()
            for attempt in range(1, TRIES + 1):
                self._choose_address(again=restarted, attempt=attempt)
                try:
                    self._launch()
                    self._wait_until_ready()
                    break
                except ServerStartError:
                    self._end_child(0.5)
                    if attempt == TRIES:
                        raise
                    time.sleep(0.2 * attempt)
            self._after_start()
        except BaseException:
            self._end_child(10.0)
            self._lock.release()
            raise
        return self

    def stop(self, timeout: float = 10.0) -> None:
        """End it cleanly; after `timeout` seconds by force, which costs a recovery at the next start."""
        self._end_child(timeout)
        self._lock.release()

    def kill(self) -> None:
        """SIGKILL, as a crash would do it; the folder stays ours, and `start` brings it back on the same address."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()

    def is_alive(self) -> bool:
        """True if the process runs, even if it does not answer."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None and self.is_alive() else None

    @property
    def password(self) -> str:
        """Made at the first start and kept in the folder, readable by the owner only."""
        return kept_secret(self.folder / "password")

    @property
    @abstractmethod
    def url(self) -> str:
        """The url that clients connect to, password included."""

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @abstractmethod
    def _prepare(self) -> None:
        """Make what a start needs and is not there yet."""

    @abstractmethod
    def _command(self) -> list[str]:
        """The program and its arguments."""

    def _standard_input(self) -> bytes:
        """The bytes that the program reads from its standard input."""
        return b""

    @abstractmethod
    def _answers(self) -> bool:
        """True if a client gets an answer."""

    def _after_start(self) -> None:  # noqa: B027 - most servers need nothing
        """Whatever needs the running server."""

    def _take_folder(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        refuse_foreign(self.folder)
        if self.account.uid is not None:
            self.folder.chmod(0o711)
            if not self.account.can("-x", self.folder):
                raise ServerStartError(f"{self.folder} is closed to the servers' account; see embedded.folder")
        while not self._lock.take():
            owner = self._lock.holder()
            if owner is not None:
                raise FolderTakenError(f"{self.folder} is in use by another process (pid {owner})", owner)

    def _end_left_overs(self) -> None:
        for process in inhabitants(self.program, self.data):
            if not end(process, [(self.stop_signal, 10.0), (signal.SIGQUIT, 3.0)]):
                raise ServerStartError(f"pid {process.pid} still runs on {self.data} and cannot be ended")

    @abstractmethod
    def _choose_address(self, *, again: bool, attempt: int) -> None:
        """Choose where it listens: again where clients know it already, elsewhere if an attempt has failed there."""

    def _launch(self) -> None:
        with opened(self.log_file) as log:
            process = subprocess.Popen(
                self._command(),
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env={"LC_ALL": "C", "PATH": "/usr/local/bin:/usr/bin:/bin"},
                start_new_session=True,  # a Ctrl-C in the terminal is ours to pass on, in our order
                preexec_fn=die_with_parent(self.stop_signal),  # noqa: PLW1509 - nothing but one system call
                **self.account.spawn_options(),
            )
        self._process = process
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError), process.stdin as stream:
                stream.write(self._standard_input())

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + self.start_seconds
        while not self._answers():
            if not self.is_alive():
                raise ServerStartError(f"{self.program} did not start:\n{last_lines(self.log_file)}")
            if time.monotonic() > deadline:
                raise ServerStartError(f"{self.program} was not ready in time:\n{last_lines(self.log_file)}")
            time.sleep(0.01)

    def _end_child(self, seconds: float) -> None:
        if self._process is None:
            return
        for number, wait in ((self.stop_signal, seconds), (signal.SIGQUIT, 2.0), (signal.SIGKILL, 5.0)):
            if self._process.poll() is not None:
                return
            self._process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(wait)
