"""People: signing up, logging in, going on, sessions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import requests

from .errors import Refused
from .shapes import Document
from .transport import Transport


class People:
    """Somebody who logs in; the access token is the caller's key from then on."""

    transport: Transport
    _csrf_token: str | None = None
    _cookies: Any = None

    def sign_up(self, username: str, password: str) -> Document:
        """Become a trader with paper money, where the exchange is open to strangers. Then log in."""
        body = {"username": username, "password": password}
        return cast(Document, self.transport.call("POST", "/signup", body).json())

    def log_in(self, username: str, password: str) -> Document:
        """Act as this person from now on; the `user`, and the seconds that the access token is good."""
        body = {"username": username, "password": password}
        answer = self.transport.call("POST", "/token", body, repeatable=False)
        return self._taken(answer)

    def go_on(self) -> Document:
        """Get another access token before the present one ends. Raises Refused where one has to log in again."""
        return self._taken(self._with_cookies("/token/refresh"))

    def log_out(self) -> None:
        """End the session, with everything that was opened with it."""
        self._with_cookies("/logout")
        self.transport.key = self._csrf_token = self._cookies = None

    def change_password(self, current: str, new: str) -> None:
        """Take another password; all other sessions end."""
        body = {"current_password": current, "new_password": new}
        self.transport.call("PUT", "/me/password", body, repeatable=False)

    def sessions(self) -> Iterator[Document]:
        """Where one is logged in."""
        return self.transport.items("/sessions")

    def end_session(self, session_id: int) -> None:
        """End one of them."""
        self.transport.call("DELETE", f"/sessions/{session_id}")

    def end_sessions(self) -> None:
        """End all of them."""
        self.transport.call("DELETE", "/sessions")

    def _with_cookies(self, path: str) -> requests.Response:
        """What needs the cookies of the session. A refresh token is good once, so nothing is sent twice."""
        answer = requests.post(
            f"{self.transport.url}/api/v1{path}",
            cookies=self._cookies,
            headers={"X-CSRF-Token": self._csrf_token or ""},
            timeout=self.transport.timeout,
        )
        if answer.status_code >= 400:
            raise Refused(answer.status_code, answer.json())
        return answer

    def _taken(self, answer: requests.Response) -> Document:
        found = answer.json()
        self.transport.key, self._csrf_token = found["access_token"], found["csrf_token"]
        self._cookies = answer.cookies
        return {"user": found["user"], "expires_in": found["expires_in"]}
