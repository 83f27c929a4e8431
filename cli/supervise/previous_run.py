"""What a supervisor that was killed has left behind; it must not be in the way of the next start.

On Linux the kernel has already told its processes to leave, and they are waited for. Embedded servers are dealt with
by their own start, which knows them by their folder.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import psutil

from cli.local.run_state import STATE_FILE, read_state
from machine.lock import SAME_SECONDS
from machine.process import end_group, has_ended

GRACE_SECONDS = 0.2
"""For all of them together; the kernel has told them when their supervisor died, and their servers ended then, too."""


def end_left_overs(folder: Path) -> list[str]:
    """End what still runs of the last exchange on this folder, whose lock must be ours; the names of what did.

    What another user has written down ends nothing but his own processes.
    """
    state = read_state(folder)
    if state is None:
        return []
    author = (folder / STATE_FILE).lstat().st_uid
    found = []
    for entry in state.processes:
        if entry["name"] in ("postgres", "valkey") or not entry["pid"]:
            continue
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(entry["pid"])
            if abs(process.create_time() - (entry["created_at"] or 0.0)) > SAME_SECONDS:
                continue
            if author not in (os.geteuid(), process.uids().real):
                continue
            found.append((entry["name"], process))
    for _, process in found:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for _, process in found:
        has_ended(process, max(0.0, deadline - time.monotonic()))
        end_group(process.pid)  # each was made the leader of a group of its own
    return [name for name, _ in found]
