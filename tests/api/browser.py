"""A page in a browser, as the API sees it."""

from __future__ import annotations

from typing import Any

from werkzeug.test import Client, TestResponse

from tests.api.venue import PASSWORD, Caller, Venue


class Browser:
    """A page in a browser: it keeps cookies, and says their word."""

    def __init__(self, venue: Venue, host: str = "localhost") -> None:
        self.venue = venue
        self.client: Client = venue.app.test_client()
        self.host = host
        self.csrf = ""

    def post(self, path: str, body: Any = None, csrf: str | None = "", address: str = "127.0.0.1") -> TestResponse:
        """POST with the cookies that there are; `csrf` None for no such header."""
        word = self.csrf if csrf == "" else csrf
        headers = {"Host": self.host, **({} if word is None else {"X-CSRF-Token": word})}
        options: dict[str, Any] = {} if body is None else {"json": body}
        environ = {"REMOTE_ADDR": address}
        return self.client.post(f"/api/v1{path}", headers=headers, environ_overrides=environ, **options)

    def log_in(self, person: Caller, password: str = PASSWORD) -> Caller:
        """Log in; whoever has its access token."""
        answer = self.post("/token", {"username": person.username, "password": password})
        return self.taken(answer, person)

    def taken(self, answer: TestResponse, person: Caller) -> Caller:
        """Whoever has the access token of an answer; the page remembers the word that goes with it."""
        assert answer.status_code == 200, answer.text
        self.csrf = answer.json["csrf_token"]
        return Caller(self.venue, answer.json["access_token"], person.broker_id, person.user_id, person.username)

    @property
    def refresh_cookie(self) -> str:
        """What the refresh token is."""
        cookie = self.client.get_cookie("minex_refresh", self.host, "/api/v1")
        assert cookie is not None
        return cookie.value


def told(answer: TestResponse) -> tuple[int, str | None]:
    return answer.status_code, (answer.json or {}).get("code") if answer.data else None
