"""Where a server's Unix socket is: in a folder that only its account may enter, so nobody else can even knock.

The path of a socket has a hundred bytes at most, and not every file system can hold one. Where the server's own folder
will not do, it is a folder of a random name among the temporary ones.
"""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import tempfile
from pathlib import Path

from embedded.errors import ServerStartError
from machine.account import Account
from machine.secret import write_private

FOLDER = "socket"
NOTE = "socket-folder"
"""The file beside it that names the one that stands in for it: a start after SIGKILL goes on with that."""

OTHER_PLACES = ("/tmp", "/var/tmp")  # noqa: S108 - where TMPDIR itself is too deep


def socket_path(name: str, folder: Path, account: Account) -> Path:
    """The path for a socket of the server that lives in `folder`; nothing is there. Raises ServerStartError."""
    own = folder / FOLDER
    own.mkdir(mode=0o700, exist_ok=True)
    account.own(own)
    if _can_be_bound(own / name):
        return own / name
    noted = _noted(folder)
    if noted is not None and _is_closed_to_others(noted, account) and _can_be_bound(noted / name):
        return noted / name
    for place in dict.fromkeys((tempfile.gettempdir(), *OTHER_PLACES)):
        with contextlib.suppress(OSError):
            made = Path(tempfile.mkdtemp(prefix="minex-", dir=place))
            account.own(made)
            if account.can("-x", made) and _can_be_bound(made / name):
                _note(made, folder)
                return made / name
            made.rmdir()
    raise ServerStartError(f"there is no place for a Unix socket, neither {own} nor below {', '.join(OTHER_PLACES)}")


def made_again(path: Path, folder: Path, account: Account) -> None:
    """See that the folder of this socket, whose path clients know by now, is there and closed to others.

    Raises ServerStartError where somebody else has made one meanwhile.
    """
    if not path.parent.exists():
        path.parent.mkdir(mode=0o700)
        account.own(path.parent)
        if path.parent != folder / FOLDER:
            _note(path.parent, folder)
    if not _is_closed_to_others(path.parent, account):
        raise ServerStartError(f"{path.parent}, where the socket was, is open to others")


def forget(name: str, folder: Path) -> None:
    """Remove what stands in for the folder below `folder`, if something does, and the socket in it."""
    noted = _noted(folder)
    if noted is not None:
        with contextlib.suppress(OSError):
            (noted / name).unlink(missing_ok=True)
            noted.rmdir()
        (folder / NOTE).unlink()


def _can_be_bound(path: Path) -> bool:
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.bind(str(path))
        except OSError:
            return False
    path.unlink()
    return True


def _note(stands_in: Path, folder: Path) -> None:
    write_private(folder / NOTE, f"{stands_in}\n")


def _noted(folder: Path) -> Path | None:
    with contextlib.suppress(FileNotFoundError):
        return Path((folder / NOTE).read_text(encoding="utf-8").strip())
    return None


def _is_closed_to_others(folder: Path, account: Account) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    owner = os.geteuid() if account.uid is None else account.uid
    return stat.S_ISDIR(found.st_mode) and found.st_uid == owner and not stat.S_IMODE(found.st_mode) & 0o077
