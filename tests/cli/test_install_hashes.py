"""Given packages in a place that the user names, when set-up fetches them, then only what is vouched for is installed.

A real environment, and a real installer without a network: the packages are made here.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from cli import install

NAME, VERSION = "vouched", "1.0"
WHEEL = f"{NAME}-{VERSION}-py3-none-any.whl"
METADATA = f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\n"
WHAT_IT_IS = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


class Checkout:
    """A folder with an environment that is made in it, and one with the packages that there are."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.packages = root / "packages"
        self.packages.mkdir()

    def set_up(self, requirements: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """What `./minex` does when the requirements have changed."""
        (self.root / "requirements.txt").write_text(requirements)
        stamp = hashlib.sha256(requirements.encode()).hexdigest()
        from_here = {"NO_INDEX": "1", "FIND_LINKS": str(self.packages)}
        options = {f"{tool}_{name}": value for tool in ("PIP", "UV") for name, value in from_here.items()}
        return subprocess.run(
            [sys.executable, "-I", install.__file__, str(self.root), f"requirements.txt={stamp}"],
            env=os.environ | options | {"UV_NO_CACHE": "1"} | environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def says(self) -> str:
        """What the installed package says; nothing if there is none."""
        python = self.root / ".venv" / "bin" / "python"
        done = subprocess.run([python, "-I", "-c", f"import {NAME}"], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    def offer_wheel(self, says: str) -> str:
        """Put the package where it is looked for; its hash."""
        path = self.packages / WHEEL
        with zipfile.ZipFile(path, "w") as wheel:
            folder = f"{NAME}-{VERSION}.dist-info"
            files = {f"{folder}/METADATA": METADATA, f"{folder}/WHEEL": WHAT_IT_IS, f"{folder}/RECORD": ""}
            for name, text in {f"{NAME}.py": f"print({says!r})\n", **files}.items():
                wheel.writestr(zipfile.ZipInfo(name), text)  # without the time, so that it is the same one each time
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def offer_source(self, trace: Path) -> str:
        """Put the package there to be built, by a program that leaves a trace; its hash."""
        path = self.packages / f"{NAME}-{VERSION}.tar.gz"
        files = {
            "PKG-INFO": METADATA,
            "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "build"\nbackend-path = ["."]\n',
            "build.py": f"open({str(trace)!r}, 'w').close()\n",
        }
        with tarfile.open(path, "w:gz") as archive:
            for name, text in files.items():
                entry = tarfile.TarInfo(f"{NAME}-{VERSION}/{name}")
                entry.size = len(text)
                archive.addfile(entry, io.BytesIO(text.encode()))
        return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Its environment is made once, which takes seconds."""
    checkout = Checkout(tmp_path_factory.mktemp("checkout"))
    done = checkout.set_up("# nothing\n")
    assert done.returncode == 0, done.stderr
    return checkout


@pytest.fixture
def checkout(made: Checkout) -> Checkout:
    """Without the package, in the environment and where it is looked for, and to be set up."""
    (made.root / ".venv" / "requirements.txt.installed").unlink(missing_ok=True)
    for path in made.packages.iterdir():
        path.unlink()
    for path in made.root.glob(f".venv/lib/python*/site-packages/{NAME}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return made


def test_what_is_vouched_for_is_installed_from_where_the_user_says(checkout: Checkout) -> None:
    digest = checkout.offer_wheel("as made")
    done = checkout.set_up(f"{NAME}=={VERSION} --hash=sha256:{digest}\n")
    assert done.returncode == 0, done.stderr
    assert checkout.says() == "as made"


def test_what_was_tampered_with_is_not(checkout: Checkout) -> None:
    digest = checkout.offer_wheel("as made")
    other = checkout.offer_wheel("something else")
    requirements = f"{NAME}=={VERSION} --hash=sha256:{digest}\n"
    done = checkout.set_up(requirements, UV_NO_VERIFY_HASHES="1")
    assert done.returncode == 1
    assert "what was fetched is not what the requirements name, and was not installed" in done.stderr
    assert NAME in done.stderr
    assert digest in done.stderr
    assert other in done.stderr
    assert "Traceback" not in done.stderr
    assert checkout.says() == ""
    assert checkout.set_up(requirements).returncode == 1, "the next start believed it"
    assert checkout.offer_wheel("as made") == digest
    assert checkout.set_up(requirements).returncode == 0
    assert checkout.says() == "as made"


def test_what_nobody_vouches_for_is_not(checkout: Checkout) -> None:
    checkout.offer_wheel("as made")
    done = checkout.set_up(f"{NAME}=={VERSION}\n")
    assert done.returncode == 1
    assert "hash" in done.stderr
    assert checkout.says() == ""


def test_nothing_is_built(checkout: Checkout, tmp_path: Path) -> None:
    trace = tmp_path / "was-run"
    digest = checkout.offer_source(trace)
    done = checkout.set_up(f"{NAME}=={VERSION} --hash=sha256:{digest}\n", PIP_NO_BINARY=":all:")
    assert done.returncode == 1
    assert not trace.exists()
