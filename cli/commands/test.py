"""`minex test`: the checks and the tests, as CI runs them."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from pathlib import Path

import rich_click as click

from cli.supervise.orphans import adopt_orphans, end_descendants, reap_strays
from cli.terminal import CommandError, coloured, say
from settings.loading import ROOT

BIN = Path(sys.executable).parent

CHECKS = {
    "ruff check": (str(BIN / "ruff"), "check", "."),
    "ruff format": (str(BIN / "ruff"), "format", "--check", "."),
    "mypy": (sys.executable, "-m", "mypy"),
    "lint-imports": (str(BIN / "lint-imports"),),
}
"""What reads the code, quickest first."""

REAP_SECONDS = 1.0
"""How often the exit codes of processes that the tests have orphaned are collected."""

IN_PARALLEL = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
"""Two test processes; each has servers of its own. A file stays with one of them, for its tests share whole exchanges;
in the order of their names the long files come before the short ones of `workers`, so that neither waits at the end."""


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--checks", "what", flag_value="checks", help="Only ruff, mypy and lint-imports.")
@click.option("--coverage", "what", flag_value="coverage", help="Run pytest, and say which lines no test has reached.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[PYTEST ARGUMENTS]…")
def command(what: str | None, arguments: tuple[str, ...]) -> int:
    """Run ruff, mypy, lint-imports and pytest; with arguments only pytest, with these.

    Exit code 1 if any of them failed. Nothing that a test has started outlives this command.
    """
    adopt_orphans()
    try:
        chosen = tuple(_absolute(argument) for argument in arguments)
        if what == "coverage":
            return _covered(chosen or IN_PARALLEL)
        if arguments:
            return _pytest(chosen)
        failed = [name for name, check in CHECKS.items() if not _passes(name, check)]
        if what == "checks":
            if failed:
                raise CommandError(f"Failed: {', '.join(failed)}.")
            return 0
        return _pytest(IN_PARALLEL) or (1 if failed else 0)
    finally:
        end_descendants()


def _absolute(argument: str) -> str:
    """A path of the user's folder, as pytest understands it in the checkout; anything else as it is."""
    path, separator, test = argument.partition("::")
    return f"{Path(path).absolute()}{separator}{test}" if Path(path).exists() else argument


def _passes(name: str, check: tuple[str, ...]) -> bool:
    began = time.monotonic()
    done = subprocess.run(check, check=False, cwd=ROOT, capture_output=True, text=True)
    mark = coloured("✓", "green", sys.stderr) if done.returncode == 0 else coloured("✗", "red", sys.stderr)
    say(f"{mark} {name}  {time.monotonic() - began:.1f} s")
    if done.returncode != 0:
        say((done.stdout + done.stderr).rstrip())
    return done.returncode == 0


def _covered(arguments: tuple[str, ...]) -> int:
    """Run pytest and every process that it starts under coverage, then print each module's figure, worst first."""
    coverage = (sys.executable, "-m", "coverage")
    subprocess.run((*coverage, "erase"), check=True, cwd=ROOT)
    failed = _pytest(arguments, (*coverage, "run"))
    subprocess.run((*coverage, "combine", "--quiet"), check=False, cwd=ROOT)
    subprocess.run((*coverage, "report"), check=False, cwd=ROOT)
    return failed


def _pytest(arguments: tuple[str, ...], by: tuple[str, ...] = (sys.executable,)) -> int:
    """Its exit code; a Ctrl-C is for pytest, which ends its tests and tells what it got to."""
    with subprocess.Popen([*by, "-m", "pytest", *arguments], cwd=ROOT) as process:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            while process.poll() is None:
                reap_strays([process.pid])
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(REAP_SECONDS)
        finally:
            signal.signal(signal.SIGINT, before)
    return int(process.returncode)
