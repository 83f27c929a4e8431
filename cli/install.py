"""Makes `.venv` beside `./minex`; run by the machine's own Python, so it uses nothing but the standard library.

Usage: python -I cli/install.py ROOT NAME=STAMP... — each NAME is a requirements file, and all of them are installed.
A STAMP is a hash of the file, stored once that is done: `./minex` starts without asking us while no file has changed.
Exit code 1 with a reason if it cannot be done.

Only wheels are installed, each with a hash that its requirements file names, wherever it comes from: nothing that a
mirror or an index puts in its place, and no program of a package that is to be built, is ever run.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

INSTALLER_OPTIONS = (
    *("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIREMENT", "PIP_CONSTRAINT", "PYTHONHOME"),
    *("UV_CONSTRAINT", "UV_OVERRIDE", "UV_NO_VERIFY_HASHES"),
)
"""Variables that would send the packages elsewhere or change which ones; where to fetch them from stays the user's."""

OLDEST = (3, 12) if sys.platform == "darwin" else (3, 11)
"""Of Python. Not every package has a wheel for macOS and 3.11."""

AS_VOUCHED = ("--require-hashes", "--only-binary", ":all:")
"""What pip and uv are told; deploy/Dockerfile tells pip the same."""

OTHER_HASH = ("DO NOT MATCH THE HASHES", "Hash mismatch")
"""What pip or uv says of a package that is not the one whose hash is known."""

LAST_LINES = 15
"""How much of a failed installer's output is shown."""

INSTALLING = "Installing collected packages"
"""pip's line before it writes the first package; before that a failure has changed nothing."""


class InstallError(Exception):
    """The environment cannot be made; the message says why and what to do."""

    def __init__(self, message: str, *, harmless: bool = True) -> None:
        super().__init__(message)
        self.harmless = harmless
        """What was installed before is as it was."""


def main(root: Path, stamps: dict[str, str]) -> None:
    """Make or mend the environment; does nothing if another start has just done it."""
    venv = root / ".venv"
    lock = os.open(root, os.O_RDONLY)
    try:
        _wait_for(lock)
        is_sound = _is_sound(venv)
        if is_sound and all(_read(_stamp_file(venv, name)) == stamp for name, stamp in stamps.items()):
            return
        began = time.monotonic()
        unfinished = venv / "minex-unfinished"
        if unfinished.exists() or not is_sound:
            # Half-written packages look installed to an installer, so what was interrupted is thrown away.
            _remove(venv)
        uv = shutil.which("uv")
        if not venv.exists():
            _say(f"making .venv with Python {sys.version.split()[0]} and {'uv' if uv else 'pip'}")
            _make(venv, uv)
        unfinished.touch()
        _say(f"installing {' and '.join(stamps)} (this once)")
        try:
            _install(venv, [root / name for name in stamps], uv)
        except InstallError as error:
            if error.harmless:
                unfinished.unlink()
            raise
        for name, stamp in stamps.items():
            _stamp_file(venv, name).write_text(f"{stamp}\n", encoding="ascii")
        unfinished.unlink()
        _say(f"installed in {time.monotonic() - began:.0f} s")
    finally:
        os.close(lock)


def _stamp_file(venv: Path, name: str) -> Path:
    return venv / f"{name}.installed"


def _say(text: str) -> None:
    sys.stderr.write(f"minex: {text}\n")
    sys.stderr.flush()


def _read(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(encoding="ascii").strip()
    return ""


def _wait_for(lock: int) -> None:
    """The lock ends with its process, however that ends, so there is never a stale one."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _say("another start is installing; waiting for it")
        fcntl.flock(lock, fcntl.LOCK_EX)


def _is_sound(venv: Path) -> bool:
    """True if its Python still starts: an upgrade of the machine may have taken away the one it was made from."""
    python = venv / "bin" / "python"
    command = [str(python), "-I", "-c", f"import sys; raise SystemExit(sys.version_info < {OLDEST})"]
    return os.access(python, os.X_OK) and subprocess.run(command, check=False, capture_output=True).returncode == 0


def _remove(venv: Path) -> None:
    shutil.rmtree(venv, ignore_errors=True)
    if venv.exists():
        raise InstallError(f"{venv} was made by another user and does not work for you; use a checkout of your own")


def _make(venv: Path, uv: str | None) -> None:
    command = [uv, "venv", "--python", sys.executable] if uv else [sys.executable, "-m", "venv"]
    if not uv:
        try:
            import ensurepip  # noqa: F401, PLC0415 - Debian packs it apart, and says so only after making half a venv
        except ImportError as error:
            version = f"{sys.version_info[0]}.{sys.version_info[1]}"
            raise InstallError(
                f"this Python has no ensurepip. Install it, for example: apt-get install python{version}-venv"
            ) from error
    _run([*command, str(venv)], "the virtual environment could not be made")


def _install(venv: Path, requirements: list[Path], uv: str | None) -> None:
    python = str(venv / "bin" / "python")
    if uv:
        command = [uv, "pip", "install", "--compile-bytecode", "--python", python]
    else:
        options = ["--disable-pip-version-check", "--no-input", "--progress-bar", "off"]
        command = [python, "-I", "-m", "pip", "install", *options]
    files = [argument for path in requirements for argument in ("--requirement", str(path))]
    _run([*command, *AS_VOUCHED, *files], "the packages could not be installed")


def _run(command: list[str], failure: str) -> None:
    """Run the installer with its packages counted on one line; its own words are shown only if it fails."""
    environment = {name: value for name, value in os.environ.items() if name not in INSTALLER_OPTIONS}
    words: list[str] = []
    counted = 0
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        for line in process.stdout or ():
            if line.startswith(("Collecting ", "Requirement already")):
                counted += 1
                _count(counted)
            elif not line.startswith("Looking in "):  # where it looks is nobody's business
                words.append(line.rstrip())
    if counted:
        _count(0)
    if process.returncode != 0:
        if any(sign in line for line in words for sign in OTHER_HASH):
            failure = (
                "what was fetched is not what the requirements name, and was not installed; it may be tampered with"
            )
        told = "\n".join(f"  {line}" for line in words[-LAST_LINES:])
        raise InstallError(f"{failure}:\n{told}", harmless=not any(line.startswith(INSTALLING) for line in words))


def _count(packages: int) -> None:
    """Show on a terminal how many packages are done; 0 ends the line."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\rminex: {packages} packages " if packages else "\n")
        sys.stderr.flush()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), dict(argument.split("=", 1) for argument in sys.argv[2:]))
    except (InstallError, OSError) as error:
        _say(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        _say("interrupted; the next start goes on")
        sys.exit(130)
