"""One receiver, spoken to over a connection that is kept while it is good."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import requests
from urllib3.exceptions import HTTPError

from services.webhooks.addresses import Address, is_own_door, is_public
from workers.sending.attempts import Attempt
from workers.sending.checked_connections import AddressRefused, CheckedAdapter
from workers.sending.deadlines import Cut, Deadlines

MOST_OF_ANSWER: Final = 65_536
"""Bytes of an answer's body that are read, for the sake of the connection alone."""

REST_SECONDS: Final = 1.0
"""How long a body may take that nobody needs."""

HEADERS: Final = {
    "Content-Type": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": "Minex-Webhooks/1",
}


LATE: Final = "no answer in time"
WORDS: Final[dict[type[BaseException], str]] = {
    AddressRefused: "the address is not allowed",
    TimeoutError: LATE,
    ssl.SSLCertVerificationError: "the certificate is not valid: {}",
    ssl.SSLError: "no TLS connection",
    socket.gaierror: "the name has no address",
    ConnectionRefusedError: "the connection was refused",
    requests.exceptions.InvalidURL: "the url cannot be used",
}
"""Why there was no answer, in the order in which one cause explains others."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Where deliveries may go: whether to private addresses, too, and never to these ports of this machine."""

    allow_private: bool
    own_ports: frozenset[int]

    def refuses(self, address: Address, port: int) -> bool:
        """True if nothing may be sent there."""
        return is_own_door(address, port, self.own_ports) or not (self.allow_private or is_public(address))


class Receiver:
    """What is at one url; one request at a time. `ca_file`: certificates to trust instead of the public ones."""

    def __init__(self, url: str, reach: Reach, deadlines: Deadlines, ca_file: str | None = None) -> None:
        self.url = url
        self._deadlines = deadlines
        self._cut: Cut | None = None
        self._socket: socket.socket | None = None
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = ca_file or True
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = CheckedAdapter(reach.refuses, self._connected)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def post(self, body: bytes, headers: Mapping[str, str], seconds: float, at: datetime) -> Attempt:
        """Send it and wait for the answer, `seconds` at most; `at` is now. Whatever goes wrong is in the attempt."""
        began = time.monotonic()
        status, error, retry_after = None, None, None
        is_used = self._socket is not None
        with self._deadlines.until(began + seconds) as self._cut:
            try:
                answer = self._once_or_twice(body, headers, is_used=is_used)
                if not self._cut.seconds_left:
                    raise TimeoutError(LATE)  # its head may have been cut off
                status, retry_after = answer.status_code, _retry_after(answer)
                self._finish(answer)
            except (requests.RequestException, HTTPError, AddressRefused, OSError, ValueError) as failure:
                error = _words_for(failure, is_late=not self._cut.seconds_left)
                self.close()
        return Attempt(at, status, error, round((time.monotonic() - began) * 1000), retry_after)

    def close(self) -> None:
        """Give the connection up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._session.close()

    def _once_or_twice(self, body: bytes, headers: Mapping[str, str], *, is_used: bool) -> requests.Response:
        """The answer; a connection that was kept is replaced where the receiver has closed it meanwhile."""
        try:
            return self._send(body, headers)
        except requests.ConnectionError:
            if not is_used or self._cut is None or not self._cut.seconds_left:
                raise
        self.close()
        return self._send(body, headers)

    def _send(self, body: bytes, headers: Mapping[str, str]) -> requests.Response:
        cut = self._cut
        if cut is None:
            raise RuntimeError("outside of a deadline")
        if self._socket is not None:
            cut.watch(self._socket)
        return self._session.post(
            self.url,
            data=body,
            headers={**HEADERS, **headers},
            timeout=max(cut.seconds_left, 0.001),
            allow_redirects=False,
            stream=True,
        )

    def _connected(self, sock: socket.socket) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket = sock.dup()  # TLS takes the file of the other one away
        if self._cut is not None:
            self._cut.watch(self._socket)

    def _finish(self, answer: requests.Response) -> None:
        """Read the rest, if it is little and comes soon, so that the connection can be kept; else give it up."""
        left = MOST_OF_ANSWER
        with self._deadlines.until(time.monotonic() + REST_SECONDS) as cut:
            if self._socket is not None:
                cut.watch(self._socket)
            with contextlib.suppress(requests.RequestException, HTTPError, OSError, ValueError):
                while left > 0 and cut.seconds_left:
                    piece = answer.raw.read1(left, decode_content=False)
                    if not piece:
                        if not cut.seconds_left:
                            break
                        return
                    left -= len(piece)
        self.close()


def _retry_after(answer: requests.Response) -> float | None:
    """Seconds that the answer asks for; None where it does not, or in no way that can be read."""
    text = answer.headers.get("Retry-After", "")
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _words_for(failure: Exception, *, is_late: bool) -> str:
    """Why there was no answer, for the broker's people."""
    causes = _causes(failure)
    if is_late and not any(isinstance(cause, AddressRefused) for cause in causes):
        return LATE
    for kind, words in WORDS.items():
        for cause in causes:
            if isinstance(cause, kind):
                return words.format(getattr(cause, "verify_message", ""))
    return "the connection was lost"


def _causes(failure: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    waiting: list[Any] = [failure]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return found
