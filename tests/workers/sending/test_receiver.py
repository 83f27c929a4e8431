"""Given receivers of every kind, when they are sent to, then only where allowed, and nobody holds a sender for long."""

import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
import trustme

from tests.workers.sending.web_server import OK, WebServer, plainly
from workers.sending.deadlines import Deadlines
from workers.sending.receiver import MOST_OF_ANSWER, Reach, Receiver

ANYWHERE = Reach(allow_private=True, own_ports=frozenset())
PUBLIC = Reach(allow_private=False, own_ports=frozenset())


@pytest.fixture
def server():
    server = WebServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def deadlines():
    return Deadlines()


@pytest.fixture
def receiver_at(deadlines):
    made = []

    def make(url, reach=ANYWHERE, **options):
        made.append(Receiver(url, reach, deadlines, **options))
        return made[-1]

    yield make
    for receiver in made:
        receiver.close()


def post(receiver, seconds=5.0, body=b"{}", **headers):
    return receiver.post(body, headers, seconds, datetime.now(UTC))


def answering(*lines, body=b""):
    return plainly("\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body)


def test_a_body_arrives_as_it_is(server, receiver_at):
    attempt = post(receiver_at(server.url(path="/a?b=c")), body=b'{"a":1}', **{"webhook-id": "7"})
    assert (attempt.status_code, attempt.error, attempt.is_good) == (200, None, True)
    (request,) = server.requests
    assert request.line == "POST /a?b=c HTTP/1.1"
    assert request.body == b'{"a":1}'
    assert request.headers["content-type"] == "application/json"
    assert request.headers["webhook-id"] == "7"
    assert "cookie" not in request.headers
    assert request.headers["host"] == f"127.0.0.1:{server.port}"


def test_a_connection_is_kept_and_replaced_when_it_was_closed(server, receiver_at):
    receiver = receiver_at(server.url())
    assert all(post(receiver).is_good for _ in range(3))
    assert server.connections == 1

    def last(connection, request):
        connection.sendall(OK)
        return False

    server.answer = last
    assert post(receiver).is_good
    time.sleep(0.05)
    assert post(receiver).is_good
    assert len(server.requests) == 5
    assert server.connections == 2


def test_a_kept_connection_that_breaks_under_the_request_is_replaced(server, receiver_at):
    receiver = receiver_at(server.url())
    assert post(receiver).is_good
    broken = iter([True])

    def once(connection, request):
        if next(broken, False):
            return False
        connection.sendall(OK)
        return True

    server.answer = once
    assert post(receiver).is_good
    server.answer = lambda connection, request: False
    assert post(receiver).error == "the connection was lost"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_status_of_success_is_one(server, receiver_at, status):
    server.answer = answering(f"HTTP/1.1 {status} Fine")
    assert post(receiver_at(server.url())).is_good


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 410, 500, 503])
def test_any_other_is_none_and_nothing_is_followed(server, receiver_at, status):
    target = WebServer()
    server.answer = answering(f"HTTP/1.1 {status} No", f"Location: {target.url()}")
    attempt = post(receiver_at(server.url()))
    assert (attempt.status_code, attempt.is_good) == (status, False)
    assert target.requests == []
    target.close()


def test_cookies_are_not_kept(server, receiver_at):
    server.answer = answering("HTTP/1.1 200 OK", "Set-Cookie: a=b; Path=/")
    receiver = receiver_at(server.url())
    post(receiver)
    post(receiver)
    assert "cookie" not in server.requests[1].headers


def test_no_proxy_of_the_environment_and_no_password_file(server, receiver_at, monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert post(receiver_at(server.url())).is_good
    assert "authorization" not in server.requests[0].headers


def endless(connection, request):
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    try:
        while True:
            connection.sendall(b"x" * MOST_OF_ANSWER)
    except OSError:
        return False


def trickling(pieces):
    def answer(connection, request):
        try:
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(0.05)
        except OSError:
            pass
        return False

    return answer


def test_an_endless_answer_is_cut(server, receiver_at):
    server.answer = endless
    began = time.monotonic()
    assert post(receiver_at(server.url())).is_good
    assert time.monotonic() - began < 4


@pytest.mark.parametrize(
    "pieces",
    [
        (piece for piece in [b"HTTP/1.1 200 OK\r\n", *[b"X-%d: y\r\n" % number for number in range(1_000)]]),
        (b"H" for _ in range(1_000)),
        (b"HTTP/1.1 100 Continue\r\n\r\n" for _ in range(1_000)),
        (b"" for _ in range(1_000)),
    ],
    ids=["a header at a time", "a letter at a time", "continue for ever", "nothing"],
)
def test_whoever_answers_bit_by_bit_is_late(server, receiver_at, pieces):
    server.answer = trickling(pieces)
    began = time.monotonic()
    attempt = post(receiver_at(server.url()), seconds=0.5)
    assert (attempt.status_code, attempt.error) == (None, "no answer in time")
    assert time.monotonic() - began < 3


def test_a_body_that_nobody_needs_is_not_waited_for(server, receiver_at):
    server.answer = trickling([b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", *[b"x"] * 1_000])
    began = time.monotonic()
    assert post(receiver_at(server.url()), seconds=30).is_good
    assert time.monotonic() - began < 10


def test_what_is_no_answer_is_none(server, receiver_at):
    server.answer = plainly(b"SSH-2.0-x\r\n\r\n")
    assert post(receiver_at(server.url())).error == "the connection was lost"
    server.close()
    assert post(receiver_at(server.url())).error == "the connection was refused"
    assert post(receiver_at("http://no-such-name.invalid/")).error == "the name has no address"


@pytest.mark.parametrize(
    ("value", "expected"), [("120", 120), ("soon", None), ("-1", None), ("", None), ("9" * 30, 999_999_999)]
)
def test_a_receiver_says_how_long_it_wants_to_be_left_alone(server, receiver_at, value, expected):
    server.answer = answering("HTTP/1.1 503 Later", f"Retry-After: {value}")
    assert post(receiver_at(server.url())).retry_after == expected


def test_or_until_when(server, receiver_at):
    moment = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    server.answer = answering("HTTP/1.1 503 Later", f"Retry-After: {moment}")
    assert post(receiver_at(server.url())).retry_after == pytest.approx(3_600, abs=60)


class TestAddresses:
    """The address that is connected to is the one that was looked at."""

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1", "0"])
    def test_private_ones_are_refused(self, server, receiver_at, host):
        attempt = post(receiver_at(server.url(host), PUBLIC))
        assert (attempt.status_code, attempt.error) == (None, "the address is not allowed")
        assert server.connections == 0

    def test_one_in_other_digits_is_no_address(self, server, receiver_at):
        host = "".join(chr(ord(letter) + 0xFEE0) if letter.isdecimal() else letter for letter in "127.0.0.1")
        assert post(receiver_at(server.url(host), PUBLIC)).error == "the url cannot be used"
        assert server.connections == 0

    def test_the_exchange_itself_is_refused_also_where_private_ones_are_allowed(self, server, receiver_at):
        own = Reach(allow_private=True, own_ports=frozenset({server.port}))
        for host in ("127.0.0.1", "localhost", socket.gethostname()):
            assert post(receiver_at(server.url(host), own)).error == "the address is not allowed"
        assert server.connections == 0

    @pytest.mark.parametrize("addresses", [["192.0.0.170", "127.0.0.1"], ["1.1.1.1", "127.0.0.1"], ["::1"]])
    def test_a_name_with_one_private_address_is_refused(self, server, receiver_at, monkeypatch, addresses):
        monkeypatch.setattr(socket, "getaddrinfo", names({"both.example": [addresses]}))
        assert post(receiver_at(server.url("both.example"), PUBLIC)).error == "the address is not allowed"
        assert server.connections == 0

    def test_an_answer_that_changes_between_look_up_and_connect_changes_nothing(self, server, receiver_at, monkeypatch):
        """The name is looked up once for each connection, and what was found is what is connected to."""
        asked = names({"rebound.example": [["127.0.0.1"], ["203.0.113.9"]]})
        monkeypatch.setattr(socket, "getaddrinfo", asked)
        assert post(receiver_at(server.url("rebound.example"))).is_good
        assert asked.count == 1
        assert server.requests[0].headers["host"] == f"rebound.example:{server.port}"


def names(answers):
    """A name service that gives one answer after the other."""
    left = {name: iter(lists) for name, lists in answers.items()}

    def getaddrinfo(host, port, *args, **kwargs):
        getaddrinfo.count += 1
        return [
            (socket.AF_INET6 if ":" in text else socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, port))
            for text in next(left[host])
        ]

    getaddrinfo.count = 0
    return getaddrinfo


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


class TestCertificates:
    """The name of the url is the one that the certificate must have, whatever the address is."""

    @pytest.fixture
    def ca_file(self, authority, tmp_path):
        authority.cert_pem.write_to_path(tmp_path / "ca.pem")
        return str(tmp_path / "ca.pem")

    @pytest.fixture
    def secure(self, authority):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("receiver.example").configure_cert(context)
        server = WebServer(tls=context)
        yield server
        server.close()

    @pytest.fixture(autouse=True)
    def _names(self, monkeypatch):
        monkeypatch.setattr(
            socket, "getaddrinfo", names(dict.fromkeys(["receiver.example", "other.example"], [["127.0.0.1"]] * 9))
        )

    def test_the_right_name_is_delivered_to_and_its_connection_kept(self, secure, receiver_at, ca_file):
        receiver = receiver_at(secure.url("receiver.example"), ca_file=ca_file)
        assert [post(receiver).status_code for _ in range(2)] == [200, 200]
        assert secure.connections == 1
        secure.answer = trickling([b"H"] * 1_000)
        began = time.monotonic()
        assert post(receiver, seconds=0.5).error == "no answer in time"
        assert time.monotonic() - began < 3

    def test_another_name_or_an_unknown_authority_is_not(self, secure, receiver_at, ca_file):
        wrong = post(receiver_at(secure.url("other.example"), ca_file=ca_file))
        unknown = post(receiver_at(secure.url("receiver.example")))
        assert wrong.error is not None
        assert unknown.error is not None
        assert wrong.error.startswith("the certificate is not valid: Hostname mismatch")
        assert unknown.error.startswith("the certificate is not valid: ")
        assert secure.requests == []

    def test_a_handshake_that_never_ends_is_late(self, receiver_at, ca_file):
        silent = socket.create_server(("127.0.0.1", 0))
        began = time.monotonic()
        url = f"https://receiver.example:{silent.getsockname()[1]}/"
        assert post(receiver_at(url, ca_file=ca_file), seconds=0.5).error == "no answer in time"
        assert time.monotonic() - began < 3
        silent.close()


def test_deadlines_leave_one_thread_and_nothing_behind(server, receiver_at):
    receivers = [receiver_at(server.url()) for _ in range(10)]
    threads = [threading.Thread(target=post, args=[receiver]) for receiver in receivers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(thread.name == "webhook-deadlines" for thread in threading.enumerate()) == 1
    assert len(server.requests) == 10
