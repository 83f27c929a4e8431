"""What is somebody else's, or could be changed by others, is not used; what is ours is closed to others at once."""

import contextlib
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from machine.errors import NotOursError
from machine.lock import OwnerLock
from machine.ownership import read_own, refuse_foreign
from machine.secret import kept_secret

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
SOMEBODY = 65_533

HOLD = """
import fcntl, os, sys, time
descriptor = os.open(sys.argv[1], os.O_RDWR)
fcntl.flock(descriptor, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(600)
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("allowed", [0o700, 0o711, 0o755, 0o600, 0o644])
def test_what_only_we_may_change_is_ours(tmp_path: Path, allowed: int) -> None:
    place = tmp_path / "place"
    place.mkdir()
    place.chmod(allowed)
    refuse_foreign(place)
    refuse_foreign(tmp_path / "nothing")


@pytest.mark.parametrize("allowed", [0o770, 0o702, 0o777, 0o1777])
def test_what_others_may_change_is_refused(tmp_path: Path, allowed: int) -> None:
    place = tmp_path / "place"
    place.mkdir()
    place.chmod(allowed)
    with pytest.raises(NotOursError, match="chmod go-w"):
        refuse_foreign(place)


@ROOT_ONLY
def test_what_another_owns_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("known to him\n")
    secret.chmod(0o600)
    os.chown(secret, SOMEBODY, SOMEBODY)
    for use in (refuse_foreign, read_own, kept_secret, lambda path: OwnerLock(path).take()):
        with pytest.raises(NotOursError, match=str(SOMEBODY)):
            use(secret)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    aim, link = tmp_path / "aim", tmp_path / "link"
    aim.write_text("untouched")
    link.symlink_to(aim)
    for use in (refuse_foreign, read_own, kept_secret, lambda path: OwnerLock(path).take()):
        with pytest.raises(NotOursError, match="symbolic link"):
            use(link)
    assert aim.read_text() == "untouched"


def test_a_secret_that_others_may_have_changed_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "password"
    secret = kept_secret(path)
    assert (mode(path), kept_secret(path)) == (0o600, secret)
    path.chmod(0o660)
    with pytest.raises(NotOursError):
        kept_secret(path)


def test_a_lock_is_closed_to_others_and_one_of_before_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch(0o644)
    lock = OwnerLock(path)
    assert lock.take()
    assert mode(path) == 0o600
    assert OwnerLock(path).holder() == os.getpid()
    assert not OwnerLock(path).take()
    lock.release()
    assert OwnerLock(path).holder() is None


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Somebody holds the lock, and has not said so in it."""
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            yield
        finally:
            holder.kill()


@pytest.mark.parametrize(
    "written",
    [
        "",
        "no number",
        "1",
        "999999999 0.0",
        "-1 0.0",
        "\x00\xff",
        "{here} 12345.0",
        "{here}",
        "{here} {born} more",
    ],
)
def test_a_lock_that_does_not_say_who_holds_it_names_nobody(tmp_path: Path, written: str) -> None:
    path = tmp_path / "lock"
    here = psutil.Process()
    path.write_text(written.format(here=here.pid, born=here.create_time()), encoding="latin-1")
    with held(path):
        assert OwnerLock(path).holder() == 0
        path.write_text(f"{here.pid} {here.create_time()}\n")
        assert OwnerLock(path).holder() == here.pid


@ROOT_ONLY
def test_a_lock_of_another_user_names_no_process_of_ours(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    here = psutil.Process()
    path.write_text(f"{here.pid} {here.create_time()}\n")
    os.chown(path, SOMEBODY, SOMEBODY)
    with held(path):
        assert OwnerLock(path).holder() == 0
