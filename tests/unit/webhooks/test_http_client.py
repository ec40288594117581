"""Requests of outgoing webhooks: permitted addresses, time limits and TLS."""

import os
import queue
import socket
import ssl
import subprocess
import sys
import threading

import pytest
from django.core.exceptions import ImproperlyConfigured

from django_roomchat.webhooks import http_client, name_resolution
from django_roomchat.webhooks.http_client import DeliveryResult, cautions, post
from tests.services import free_port
from tests.services.receiver import Receiver
from tests.support.webhooks import port_of, with_tls

LATE = DeliveryResult(error="no response within 0.3 s")


@pytest.fixture
def connections(monkeypatch):
    """The addresses that are connected to. None of these connections is opened."""
    tried = []

    def first_open(addresses, deadline, make):
        tried.extend(addresses)
        raise OSError("enough")

    monkeypatch.setattr(http_client, "_first_open", first_open)
    return tried


# Addresses ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "2130706433", "0x7f000001", "127.1", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_a_private_address_is_refused_in_every_form(host):
    answer = post(f"http://{host}:9/", b"", {}, timeout_seconds=2)

    assert (answer.status, "an address of a private network" in answer.error) == (0, True)


def test_the_connection_goes_to_the_address_that_was_checked(names):
    """A second lookup of the name would return another machine, so there is none."""
    with Receiver() as receiver:
        names["turns.example"] = ["127.0.0.1"]
        url = f"http://turns.example:{port_of(receiver)}/hook?x=1"

        answer = post(url, b"{}", {}, timeout_seconds=5, may_be_private=True)

        [(path, headers, body)] = receiver.requests
        assert (answer, names.asked) == (DeliveryResult(200), ["turns.example"])
        assert (path, headers["Host"], body) == ("/hook?x=1", f"turns.example:{port_of(receiver)}", b"{}")


def test_private_addresses_among_several_are_left_out(names, connections):
    names["two.example"] = ["10.0.0.1", "93.184.215.14"]

    answer = post("http://two.example/", b"", {}, timeout_seconds=2)

    assert (answer, connections) == (DeliveryResult(error="enough"), ["93.184.215.14"])


def test_a_name_with_private_addresses_only_is_refused(names, connections):
    names["in.example"] = ["10.0.0.1"]

    answer = post("http://in.example/", b"", {}, timeout_seconds=2)

    assert answer.error == "in.example resolves to 10.0.0.1, an address of a private network"
    assert connections == []


def test_a_name_without_addresses_is_reported(monkeypatch):
    monkeypatch.setattr(name_resolution.socket, "getaddrinfo", lambda *about, **options: [])

    assert post("http://no.example/", b"", {}, timeout_seconds=2) == DeliveryResult(
        error="no.example has no IP address"
    )


def test_the_next_address_is_tried_if_the_first_refuses(names):
    with Receiver() as receiver:
        names["two.example"] = ["127.0.0.2", "127.0.0.1"]
        url = f"http://two.example:{port_of(receiver)}/"

        answer = post(url, b"{}", {}, timeout_seconds=5, may_be_private=True)

        assert (answer, len(receiver.requests)) == (DeliveryResult(200), 1)


def test_a_refused_connection_is_reported_with_the_error_of_the_system():
    answer = post(f"http://127.0.0.1:{free_port()}/", b"", {}, timeout_seconds=5, may_be_private=True)

    assert answer == DeliveryResult(error="[Errno 111] Connection refused")


def test_a_name_that_does_not_exist_is_reported(monkeypatch):
    def getaddrinfo(*about, **options):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(name_resolution.socket, "getaddrinfo", getaddrinfo)

    assert post("http://nowhere.example/", b"", {}, timeout_seconds=2) == DeliveryResult(
        error="[Errno -2] Name or service not known"
    )


# Time ---------------------------------------------------------------------------------------------------------------


def test_a_lookup_counts_towards_the_timeout(monkeypatch):
    answers = threading.Event()
    monkeypatch.setattr(
        name_resolution.socket, "getaddrinfo", lambda *about, **options: answers.wait(10) and []
    )

    answer = post("http://hangs.example/", b"", {}, timeout_seconds=0.3)
    answers.set()

    assert answer == LATE


def test_nothing_is_sent_if_no_time_is_left():
    with Receiver() as receiver:
        answer = post(receiver.url, b"{}", {}, timeout_seconds=0, may_be_private=True)

        assert (answer, receiver.requests) == (DeliveryResult(error="no response within 0 s"), [])


def test_a_receiver_that_accepts_and_does_not_respond_is_cut_off():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        answer = post(url, b"{}", {}, timeout_seconds=0.3, may_be_private=True)

    assert answer == LATE


def drip(send, byte):
    """Send one byte at a time for ten seconds. Returns whether the client closed the connection before."""
    pause = threading.Event()
    try:
        for _ in range(500):
            send(byte)
            pause.wait(0.02)
    except OSError:
        return True
    return False


def test_a_response_that_arrives_slowly_is_cut_off():
    """Each byte restarts the timeout of the socket, so only the limit of the whole request ends it."""
    was_cut_off = queue.Queue()

    def respond(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        was_cut_off.put(drip(handler.wfile.write, b"x"))

    with Receiver(respond) as receiver:
        answer = post(receiver.url, b"{}", {}, timeout_seconds=0.3, may_be_private=True)

        assert (answer, was_cut_off.get(timeout=20)) == (LATE, True)


def test_a_tls_handshake_that_arrives_slowly_is_cut_off():
    was_cut_off = queue.Queue()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            with connection:
                # The header of a long record, and then one byte of it at a time.
                connection.sendall(b"\x16\x03\x03\x20\x00\x02")
                was_cut_off.put(drip(connection.sendall, b"\x00"))

        thread = threading.Thread(target=serve)
        thread.start()
        url = f"https://127.0.0.1:{server.getsockname()[1]}/"
        answer = post(url, b"{}", {}, timeout_seconds=0.3, may_be_private=True)
        thread.join(20)

    assert (answer, was_cut_off.get(timeout=20)) == (LATE, True)


# Responses ----------------------------------------------------------------------------------------------------------


def test_a_response_that_is_no_http_is_reported_in_printable_characters():
    with Receiver(lambda handler: handler.wfile.write(b"hel\x00lo\r\n\r\n")) as receiver:
        answer = post(receiver.url, b"{}", {}, timeout_seconds=2, may_be_private=True)

    assert (answer.status, answer.error) == (0, "hel\ufffdlo")


def test_a_redirect_is_not_followed():
    with Receiver() as other, Receiver((302, {"Location": other.url})) as receiver:
        answer = post(receiver.url, b"{}", {}, timeout_seconds=5, may_be_private=True)

        assert (answer, len(receiver.requests), other.requests) == (
            DeliveryResult(302, "HTTP 302"),
            1,
            [],
        )


def test_a_long_response_is_not_read():
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


def test_the_host_header_is_that_of_the_url():
    with Receiver() as receiver:
        post(receiver.url, b"{}", {"X-One": "1"}, timeout_seconds=5, may_be_private=True)

    [(path, headers, body)] = receiver.requests
    assert (path, headers["Host"], headers["X-One"], body) == (
        "/hook?x=1",
        receiver.url[7:].split("/")[0],
        "1",
        b"{}",
    )


@pytest.mark.parametrize(
    ("header", "seconds"), [("120", 120.0), ("", 0.0), ("soon", 0.0), ("-1", 0.0), ("9999999", 0.0)]
)
def test_retry_after_is_read_if_it_is_a_number_of_seconds(header, seconds):
    with Receiver((503, {"Retry-After": header})) as receiver:
        answer = post(receiver.url, b"{}", {}, timeout_seconds=5, may_be_private=True)

    assert answer == DeliveryResult(503, "HTTP 503", seconds)


# TLS ----------------------------------------------------------------------------------------------------------------


def test_a_response_over_tls_that_arrives_slowly_is_cut_off(names, authority):
    names["hooks.example"] = ["127.0.0.1"]
    was_cut_off = queue.Queue()

    def respond(handler):
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
        was_cut_off.put(drip(handler.wfile.write, b"x"))

    with with_tls(Receiver(respond), authority) as receiver:
        url = f"https://hooks.example:{port_of(receiver)}/"
        answer = post(url, b"{}", {}, timeout_seconds=1, may_be_private=True)

        assert (answer, was_cut_off.get(timeout=20)) == (
            DeliveryResult(error="no response within 1 s"),
            True,
        )


def test_the_server_name_and_the_certificate_are_those_of_the_url(names, tls_receiver):
    names["hooks.example"] = ["127.0.0.1"]
    url = f"https://hooks.example:{port_of(tls_receiver)}/"

    answer = post(url, b"{}", {}, timeout_seconds=10, may_be_private=True)

    assert (answer, tls_receiver.names) == (DeliveryResult(200), ["hooks.example"])


@pytest.mark.parametrize("host", ["other.example", "127.0.0.1"])
def test_a_certificate_of_another_host_is_refused(names, tls_receiver, host):
    names["other.example"] = ["127.0.0.1"]

    answer = post(
        f"https://{host}:{port_of(tls_receiver)}/", b"{}", {}, timeout_seconds=10, may_be_private=True
    )

    assert "CERTIFICATE_VERIFY_FAILED" in answer.error
    assert (answer.status, tls_receiver.requests) == (0, [])


def test_a_certificate_of_an_unknown_authority_is_refused(names, tls_receiver, monkeypatch):
    names["hooks.example"] = ["127.0.0.1"]
    monkeypatch.delenv("SSL_CERT_FILE")

    answer = post(
        f"https://hooks.example:{port_of(tls_receiver)}/",
        b"{}",
        {},
        timeout_seconds=10,
        may_be_private=True,
    )

    assert "CERTIFICATE_VERIFY_FAILED" in answer.error
    assert tls_receiver.requests == []


def test_tls_is_verified_as_strictly_as_python_does():
    assert (
        http_client._tls(http_client._Deadline(1)).verify_flags == ssl.create_default_context().verify_flags
    )


# URLs and requirements ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://hooks.example/a", []),
        ("https://hooks.example:443/a", []),
        ("http://hooks.example:80/", ["Deliveries to an http URL are not encrypted; use https."]),
        (
            "https://hooks.example:22/",
            ["Port 22 is unusual; make sure that a web server listens on it."],
        ),
        (
            "http://hooks.example:443/",
            [
                "Deliveries to an http URL are not encrypted; use https.",
                "Port 443 is unusual; make sure that a web server listens on it.",
            ],
        ),
    ],
)
def test_what_is_unusual_about_a_url_is_found(url, found):
    assert cautions(url) == found


def test_without_urllib3_there_is_a_clear_error(monkeypatch):
    http_client.require_installed()
    monkeypatch.setattr(http_client, "find_spec", lambda name: None)

    with pytest.raises(ImproperlyConfigured, match=r'pip install "django-roomchat\[webhooks\]"'):
        http_client.require_installed()


def test_urllib3_is_imported_by_the_first_request_only():
    code = "import django; django.setup(); import sys, django_roomchat.webhooks.worker; print('urllib3' in sys.modules)"
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)

    assert done.stdout == "False\n"
