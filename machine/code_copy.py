"""The code of the exchange where an account can read it: the checkout, or a copy that follows it."""

from __future__ import annotations

import compileall
import hashlib
import os
import shutil
from pathlib import Path

from machine.account import Account
from machine.copies import shared_folder

NOT_RUN = ("tests", "bench")

READ = "migrations"
"""No package, but whoever comes to the database reads there which schema is the newest."""


def code_for(account: Account, root: Path) -> Path:
    """The checkout `root`, or its copy below /var/lib/minex, brought up to date; compiled, for the account cannot."""
    code = root if account.can("-r", root / "cli" / "__main__.py") else _copied(root)
    for package in _packages(code):
        compileall.compile_dir(package, quiet=2)
    return code


def _packages(root: Path) -> list[Path]:
    """The folders of the checkout that have code in them."""
    return sorted(path.parent for path in root.glob("*/__init__.py") if path.parent.name not in NOT_RUN)


def _copied(root: Path) -> Path:
    """The copy of the code, brought up to date: what is the same by size and time is left alone."""
    name = ("code", f"{root.name}-{hashlib.sha256(os.fsencode(root)).hexdigest()[:12]}")
    copy = shared_folder(*name)
    folders = [*_packages(root), root / READ]
    sources = [*root.glob("*.py"), *(path for folder in folders for path in folder.rglob("*"))]
    wanted = {path.relative_to(root) for path in sources if path.is_file() and "__pycache__" not in path.parts}
    for parent in {path.parent for path in wanted}:
        shared_folder(*name, *parent.parts)
    for path in wanted:
        _copy_changed(root / path, copy / path)
    for path in sorted(copy.rglob("*"), reverse=True):
        if path.is_file() and path.relative_to(copy) not in wanted and "__pycache__" not in path.parts:
            path.unlink()
    return copy


def _copy_changed(source: Path, target: Path) -> None:
    found = source.stat()
    known = target.stat() if target.exists() else None
    if known is None or (known.st_size, known.st_mtime_ns) != (found.st_size, found.st_mtime_ns):
        unfinished = target.with_name(f"{target.name}.{os.getpid()}")
        shutil.copy2(source, unfinished)
        unfinished.chmod(0o644)
        unfinished.replace(target)
