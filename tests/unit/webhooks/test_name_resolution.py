"""Resolution of host names within a time limit."""

import socket
import threading

import pytest

from django_roomchat.webhooks import name_resolution
from django_roomchat.webhooks.name_resolution import numeric, resolve


def found(*addresses):
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in addresses]


@pytest.fixture
def hanging(monkeypatch):
    """The name server does not respond until the test sets the event."""
    answer = threading.Event()

    def getaddrinfo(host, port, **options):
        if host == "hangs.example":
            answer.wait(10)
        return found("192.0.2.1")

    monkeypatch.setattr(name_resolution.socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(name_resolution, "_free", threading.BoundedSemaphore(1))
    yield answer
    answer.set()


def test_a_name_is_resolved_to_each_address_once(monkeypatch):
    monkeypatch.setattr(
        name_resolution.socket,
        "getaddrinfo",
        lambda host, port, **options: found("192.0.2.1", "192.0.2.2", "192.0.2.1"),
    )

    assert resolve("two.example", 80, 5) == ["192.0.2.1", "192.0.2.2"]


def test_an_address_is_its_own_name():
    assert (resolve("127.0.0.1", 80, 5), resolve("::1", 80, 5)) == (["127.0.0.1"], ["::1"])


def test_a_name_server_that_does_not_respond_is_not_waited_for(hanging):
    with pytest.raises(TimeoutError, match=r"hangs\.example was not resolved in time"):
        resolve("hangs.example", 80, 0.05)


def test_lookups_that_were_given_up_are_bounded_until_they_return(hanging):
    with pytest.raises(TimeoutError):
        resolve("hangs.example", 80, 0.05)
    with pytest.raises(TimeoutError, match=r"free\.example was not resolved in time"):
        resolve("free.example", 80, 0.05)

    hanging.set()

    assert resolve("free.example", 80, 5) == ["192.0.2.1"]


def test_without_time_no_lookup_begins(hanging):
    with pytest.raises(TimeoutError):
        resolve("free.example", 80, 0)

    assert name_resolution._free.acquire(blocking=False)


@pytest.mark.parametrize(
    "error", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label too long")]
)
def test_an_error_of_the_lookup_is_raised(monkeypatch, error):
    def getaddrinfo(host, port, **options):
        raise error

    monkeypatch.setattr(name_resolution.socket, "getaddrinfo", getaddrinfo)

    with pytest.raises(type(error)) as raised:
        resolve("nowhere.example", 80, 5)

    assert raised.value is error


def test_without_threads_a_lookup_fails_and_is_not_counted(monkeypatch):
    def start(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(name_resolution, "_free", threading.BoundedSemaphore(1))
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        with pytest.raises(OSError, match="can't start new thread"):
            resolve("127.0.0.1", 80, 5)

    assert resolve("127.0.0.1", 80, 5) == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2130706433", "127.0.0.1"),
        ("0x7f000001", "127.0.0.1"),
        ("127.1", "127.0.0.1"),
        ("::1", "::1"),
        ("localhost", None),
        ("hooks.example", None),
    ],
)
def test_an_address_in_any_form_is_recognised_without_a_lookup(host, address):
    assert numeric(host) == address
