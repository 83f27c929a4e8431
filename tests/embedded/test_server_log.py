"""The log of a server that runs on: put aside when it is long, and nothing of what was said before is lost."""

import subprocess
import sys
from pathlib import Path

from embedded.server_log import opened, turn_page

WRITER = """
import sys
for line in sys.stdin:
    print(line, end="", flush=True)
    print("said", file=sys.stderr, flush=True)
"""


def test_a_page_is_turned_while_somebody_writes(tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    with opened(log) as file:
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER], stdin=subprocess.PIPE, stdout=file, stderr=subprocess.PIPE, text=True
        )

    def write(line: str) -> None:
        assert writer.stdin is not None
        assert writer.stderr is not None
        print(line, file=writer.stdin, flush=True)
        assert writer.stderr.readline() == "said\n"

    with writer:
        write("first")
        turn_page(log)
        write("second")
    assert (tmp_path / "server.log.1").read_text() == "first\n"
    assert log.read_text() == "second\n"
