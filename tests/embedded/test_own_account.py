"""Given root's variables, when a process is started, then it gets those that are its business."""

from __future__ import annotations

from pathlib import Path

from embedded.own_account import environment_of
from machine.account import Account
from machine.runtime import Runtime
from settings.sections import Settings

NEEDED = {"PATH": "/bin", "LC_ALL": "C.UTF-8", "TZ": "America/Sao_Paulo", "MINEX_COMMAND": "./minex"}
SECRET = {"AWS_SECRET_ACCESS_KEY": "canary", "SSH_AUTH_SOCK": "agent", "PGPASSWORD": "canary", "HOME": "/root"}


class Other(Account):
    """One that can read all that there is."""

    def can(self, test: str, path: Path) -> bool:
        return True


def environment(account: Account) -> dict[str, str]:
    return environment_of(Runtime(account, Path("/python"), Path("/code"), {}), Settings(), NEEDED | SECRET)


def test_a_process_of_another_account_gets_no_secret_of_root() -> None:
    got = environment(Other(uid=1, gid=1, name="minex"))
    assert NEEDED.items() <= got.items()
    assert not SECRET.keys() & got.keys()


def test_ones_own_processes_get_all() -> None:
    assert (NEEDED | SECRET).items() <= environment(Account()).items()
