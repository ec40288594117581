"""Requests of outgoing webhooks: permitted addresses, and time limits."""

import socket
import threading

import pytest

from django_roomchat.webhooks import http_client
from django_roomchat.webhooks.http_client import DeliveryResult, is_public, post
from tests.services.receiver import Receiver


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:2800:21f:cb07::1", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"]
)
def test_addresses_of_the_internet_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "224.0.0.1", "255.255.255.255", "192.0.2.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1",
        "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1",
    ],
)  # fmt: skip
def test_addresses_of_this_machine_and_of_private_networks_are_not(address):
    assert not is_public(address)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "0x7f000001", "127.1", "[::1]"])
def test_a_private_address_is_refused_however_it_is_written(host):
    answer = post(f"http://{host}:9/", b"", {}, timeout_seconds=2)

    assert (answer.status, "an address of a private network" in answer.error) == (0, True)


def test_the_connection_goes_to_the_address_that_was_looked_at(monkeypatch):
    """A name that means another machine the second time it is asked reaches none of them."""
    asked = []

    def getaddrinfo(host, port, **options):
        asked.append(host)
        address = "93.184.215.14" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    connected = []

    def first_open(addresses, ends_at):
        connected.extend(address for *_, address in addresses)
        raise OSError("enough")

    monkeypatch.setattr(http_client.socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(http_client, "_first_open", first_open)

    assert post("http://turns.example/", b"", {}, timeout_seconds=2) == DeliveryResult(error="enough")
    assert (asked, connected) == (["turns.example"], [("93.184.215.14", 80)])


def test_of_several_addresses_the_private_ones_are_left_out(monkeypatch):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80)) for ip in ("10.0.0.1", "93.184.215.14")]
    monkeypatch.setattr(http_client.socket, "getaddrinfo", lambda *about, **options: found)
    tried = []
    monkeypatch.setattr(
        http_client, "_first_open", lambda addresses, ends_at: tried.extend(addresses) or _fail()
    )

    post("http://two.example/", b"", {}, timeout_seconds=2)

    assert tried == found[1:]


def _fail():
    raise OSError("enough")


def test_the_next_address_is_tried_where_the_first_does_not_answer(monkeypatch):
    with Receiver() as receiver:
        port = int(receiver.url.split(":")[2].split("/")[0])
        free = socket.socket()
        free.bind(("127.0.0.1", 0))
        found = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", number))
            for number in (free.getsockname()[1], port)
        ]
        monkeypatch.setattr(http_client.socket, "getaddrinfo", lambda *about, **options: found)

        answer = post("http://two.example/", b"{}", {}, timeout_seconds=2, may_be_private=True)

        free.close()
        assert (answer, len(receiver.requests)) == (DeliveryResult(200), 1)


def test_a_name_that_does_not_exist_is_a_sentence(monkeypatch):
    def getaddrinfo(*about, **options):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(http_client.socket, "getaddrinfo", getaddrinfo)

    assert post("http://nowhere.example/", b"", {}, timeout_seconds=2) == DeliveryResult(
        error="[Errno -2] Name or service not known"
    )


def test_when_the_name_took_all_the_time_nothing_is_sent():
    with Receiver() as receiver:
        answer = post(receiver.url, b"{}", {}, timeout_seconds=-1, may_be_private=True)

        assert (answer, receiver.requests) == (DeliveryResult(error="timed out"), [])


def test_who_accepts_and_says_nothing_is_hung_up_on():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        answer = post(
            f"http://127.0.0.1:{silent.getsockname()[1]}/",
            b"{}",
            {},
            timeout_seconds=0.3,
            may_be_private=True,
        )

    assert answer == DeliveryResult(error="no response within 0.3 s")


def test_what_is_no_http_is_a_sentence():
    with Receiver(lambda handler: handler.wfile.write(b"hello\r\n\r\n")) as receiver:
        answer = post(receiver.url, b"{}", {}, timeout_seconds=2, may_be_private=True)

    assert (answer.status, answer.error) == (0, "hello")


def test_a_long_answer_is_not_read():
    written = []

    def talk(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            for _ in range(10_000):
                written.append(handler.wfile.write(b"x" * 65_536))
        except OSError:
            pass

    with Receiver(talk) as receiver:
        answer = post(receiver.url, b"{}", {}, timeout_seconds=5, may_be_private=True)

    assert answer == DeliveryResult(200)
    assert len(written) < 1000


def test_endless_headers_are_not_read():
    def talk(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000)

    with Receiver(talk) as receiver:
        answer = post(receiver.url, b"{}", {}, timeout_seconds=5, may_be_private=True)

    assert answer == DeliveryResult(error="got more than 100 headers")


def test_the_host_is_named_as_in_the_address():
    with Receiver() as receiver:
        post(receiver.url, b"{}", {"X-One": "1"}, timeout_seconds=5, may_be_private=True)

    [(path, headers, body)] = receiver.requests
    assert (path, headers["Host"], headers["X-One"], body) == (
        "/hook?x=1",
        receiver.url[7:].split("/")[0],
        "1",
        b"{}",
    )


def test_to_https_nothing_is_said_in_the_clear():
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            with connection:
                heard.append(connection.recv(5))

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"https://127.0.0.1:{server.getsockname()[1]}/"
        answer = post(url, b"secret", {}, timeout_seconds=5, may_be_private=True)
        thread.join(5)

    # A ClientHello was sent, and after it nothing: the other side has no certificate at all.
    assert heard[0][:1] == b"\x16"
    assert answer.status == 0 and answer.error


@pytest.mark.parametrize(
    ("header", "seconds"), [("120", 120.0), ("", 0.0), ("soon", 0.0), ("-1", 0.0), ("9999999", 0.0)]
)
def test_retry_after_is_read_where_it_is_a_number_of_seconds(header, seconds):
    assert http_client._seconds(header) == seconds
