"""A request on its way in: has enough of it come to give it a thread?"""

import re

LONGEST_HEAD = 65_536
"""Bytes; a longer head is handed over as it is, to be refused by the parser."""

END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
CONTENT_LENGTH = re.compile(rb"^content-length[ \t]*:[ \t]*([0-9]{1,18})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
CHUNKED = re.compile(rb"^transfer-encoding[ \t]*:", re.IGNORECASE | re.MULTILINE)
EXPECTS = re.compile(rb"^expect[ \t]*:[ \t]*100-continue", re.IGNORECASE | re.MULTILINE)


class Arrival:
    """The bytes of one request as they come in.

    It only decides when to stop waiting; what the bytes mean is for the HTTP parser alone, which refuses what is
    ambiguous. A body that will be refused anyway, because it is chunked or too large, is not waited for.
    """

    def __init__(self, body_limit: int) -> None:
        """`body_limit` in bytes."""
        self.data = bytearray()
        self.expects_continue = False
        """Whether the client waits to be told that it may send the body."""
        self._body_limit = body_limit
        self._looked = 0
        self._needed: int | None = None

    def add(self, data: bytes) -> bool:
        """Take in what came; whether that is all."""
        self.data += data
        if self._needed is None:
            end = END_OF_HEAD.search(self.data, max(0, self._looked - 3))
            if end is None:
                self._looked = len(self.data)
                return len(self.data) > LONGEST_HEAD
            self._needed = end.end() + self._body_length(bytes(self.data[: end.end()]))
        return len(self.data) >= self._needed

    def _body_length(self, head: bytes) -> int:
        announced = CONTENT_LENGTH.search(head)
        if announced is None or CHUNKED.search(head):
            return 0
        length = int(announced[1])
        if length > self._body_limit:
            return 0
        self.expects_continue = EXPECTS.search(head) is not None
        return length
