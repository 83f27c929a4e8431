"""postgresql.conf for an exchange on a small machine."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import psutil

ACCESS_RULES = """# Written at every start.
host all all 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
"""
"""pg_hba.conf: from this machine, with the password, and nobody else."""

RESERVED_CONNECTIONS = 3
"""Of `max_connections`, for an administrator who looks at a server that is full."""

MEGABYTE = 1024 * 1024
KERNEL_WITH_ERRORS = (5, 8)
"""Linux: from here on syncfs(2) reports what could not be written."""

SHARED_MEMORY_NEEDED = 128 * MEGABYTE
"""Below this /dev/shm (Docker gives 64 MB) is not trusted, and PostgreSQL uses files instead."""


def configuration(folder: Path, port: int, *, preload_statistics: bool, overrides: dict[str, str]) -> str:
    """The text of postgresql.conf; `overrides` win over what is set here."""
    values = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "hba_file": str(folder / "pg_hba.conf"),
        "max_connections": "200",  # of a server by itself; `embedded.servers` knows how many the exchange needs
        "superuser_reserved_connections": str(RESERVED_CONNECTIONS),
        "authentication_timeout": "5s",  # who knocks and says nothing takes a place from all others for so long
        "password_encryption": "scram-sha-256",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # An acknowledged order is on the disk.
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "wal_buffers": "16MB",
        "wal_init_zero": "off",  # else all commits wait for 45 ms while a new file of 16 MB is filled with zeros
        "min_wal_size": "128MB",
        "max_wal_size": "1GB",  # bounds the recovery after a crash to a few seconds
        "checkpoint_timeout": "10min",
        "shared_buffers": f"{_shared_buffers_megabytes()}MB",
        "recovery_init_sync_method": _first_sync_of_recovery(),
        "dynamic_shared_memory_type": _dynamic_shared_memory(),
        # Short statements on few rows: neither parallel plans nor compiled ones pay.
        "max_parallel_workers_per_gather": "0",
        "jit": "off",
        "random_page_cost": "1.1",
        # Balances and stocks are updated all the time; small and frequent cleaning keeps them short.
        "autovacuum_naptime": "15s",
        "autovacuum_vacuum_scale_factor": "0.05",
        "log_line_prefix": "%m [%p] ",
        "log_checkpoints": "off",
        "log_error_verbosity": "terse",  # DETAIL would have the rows and keys at fault
    }
    if preload_statistics:
        values["shared_preload_libraries"] = "pg_stat_statements"
    values.update(overrides)
    lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in values.items()]
    return "# Written at every start; what shall last is set by ALTER SYSTEM.\n" + "\n".join(lines) + "\n"


def _shared_buffers_megabytes() -> int:
    """An eighth of the memory, at most 256 MB: the kernel's cache does the rest."""
    memory = int(psutil.virtual_memory().total)
    return max(32, min(256, memory // 8 // MEGABYTE))


def _first_sync_of_recovery() -> str:
    """The value of recovery_init_sync_method: one call for the whole file system where its errors are told (Linux 5.8).

    Else one call for each of the thousand files of a database, which takes seconds on a busy disk.
    """
    system = os.uname()
    if system.sysname != "Linux":
        return "fsync"
    version = tuple(int(part) for part in re.findall(r"\d+", system.release)[:2])
    return "syncfs" if version >= KERNEL_WITH_ERRORS else "fsync"


def _dynamic_shared_memory() -> str:
    shared = Path("/dev/shm")  # noqa: S108 - where Linux keeps POSIX shared memory
    if not shared.exists():
        return "posix" if os.uname().sysname == "Darwin" else "mmap"
    return "posix" if shutil.disk_usage(shared).free >= SHARED_MEMORY_NEEDED else "mmap"
