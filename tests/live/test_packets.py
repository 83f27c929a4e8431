"""What is logged while a packet is handled says of which socket it is."""

from __future__ import annotations

import json
import logging
from typing import Any
from unittest.mock import Mock

from live.packets import Reception
from logs import JsonLines


def test_entries_carry_the_sockets_id() -> None:
    said: list[dict[str, Any]] = []

    def say(*_: Any) -> None:
        record = logging.LogRecord("live", logging.WARNING, "", 1, "said", (), None)
        said.append(json.loads(JsonLines().format(record)))

    server = Mock()
    server.eio.handlers = {"message": say}
    server.manager.sid_from_eio_sid = lambda session_id, _: {"session": "socket"}.get(session_id)
    reception = Reception(server, {})
    reception.receive("session", '2["subscribe",{}]')
    say()
    reception.receive("another", "0")
    assert [entry.get("sid") for entry in said] == ["socket", None, None]
