"""Deliveries through a proxy."""

import pytest

from django_roomchat.webhooks.http_client import DeliveryResult, post
from tests.services.egress_proxy import EgressProxy
from tests.services.receiver import Receiver
from tests.support.webhooks import port_of


def test_a_request_to_http_is_forwarded_by_the_proxy():
    with Receiver() as receiver, EgressProxy(port_of(receiver)) as proxy:
        url = f"http://me:pass%20word@127.0.0.1:{proxy.port}"

        answer = post("http://hooks.example/in", b"{}", {}, timeout_seconds=5, proxy=url)

        [(path, headers, body)] = receiver.requests
        assert (answer, path, headers["Host"], body) == (DeliveryResult(200), "/in", "hooks.example", b"{}")
        assert proxy.requests == [("POST", "http://hooks.example/in", "Basic bWU6cGFzcyB3b3Jk")]


def test_a_request_to_https_passes_the_proxy_in_a_tunnel(tls_receiver):
    with EgressProxy(port_of(tls_receiver)) as proxy:
        url = f"http://me:secret@127.0.0.1:{proxy.port}"

        answer = post("https://hooks.example/", b"{}", {}, timeout_seconds=10, proxy=url)

        [(_path, headers, _body)] = tls_receiver.requests
        assert (answer, tls_receiver.names) == (DeliveryResult(200), ["hooks.example"])
        assert proxy.requests == [("CONNECT", "hooks.example:443", "Basic bWU6c2VjcmV0")]
        assert "Proxy-Authorization" not in headers


def test_through_a_proxy_the_name_is_not_looked_up_here(names):
    names["hooks.example"] = ["127.0.0.1"]
    with Receiver() as receiver, EgressProxy(port_of(receiver)) as proxy:
        answer = post(
            "http://hooks.example/", b"{}", {}, timeout_seconds=5, proxy=f"http://127.0.0.1:{proxy.port}"
        )

    assert (answer, names.asked) == (DeliveryResult(200), [])


@pytest.mark.parametrize(
    "host", ["localhost", "a.localhost.", "10.1.2.3", "2130706433", "[::1]", "[fe80::1%25x]"]
)
def test_through_a_proxy_a_private_address_is_refused_in_every_form(host):
    with Receiver() as receiver, EgressProxy(port_of(receiver)) as proxy:
        url = f"http://127.0.0.1:{proxy.port}"
        public = post("http://93.184.215.14/", b"{}", {}, timeout_seconds=5, proxy=url)

        private = post(f"http://{host}/", b"{}", {}, timeout_seconds=5, proxy=url)
        allowed = post(f"http://{host}/", b"{}", {}, timeout_seconds=5, proxy=url, may_be_private=True)

    assert (public, allowed) == (DeliveryResult(200), DeliveryResult(200))
    assert "an address of a private network" in private.error
    assert len(proxy.requests) == 2


@pytest.mark.parametrize(
    ("excluded", "is_proxied"),
    [
        ("", True),
        ("other.example", True),
        ("s.example", True),
        ("hooks.example", False),
        ("example", False),
        ("one, .Example ", False),
        ("*", False),
    ],
)
def test_the_variables_of_the_environment_are_used_if_the_setting_says_so(
    names, monkeypatch, excluded, is_proxied
):
    with Receiver() as receiver, EgressProxy(port_of(receiver)) as proxy:
        names["hooks.example"] = ["127.0.0.1"]
        monkeypatch.setenv("http_proxy", f"127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", excluded)
        url = f"http://hooks.example:{port_of(receiver)}/"

        direct = post(url, b"{}", {}, timeout_seconds=5, may_be_private=True)
        assert proxy.requests == []
        chosen = post(url, b"{}", {}, timeout_seconds=5, may_be_private=True, proxy="environment")

        assert (direct, chosen, len(proxy.requests)) == (
            DeliveryResult(200),
            DeliveryResult(200),
            int(is_proxied),
        )


def test_an_environment_without_a_proxy_is_no_proxy(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with Receiver() as receiver:
        answer = post(receiver.url, b"{}", {}, timeout_seconds=5, may_be_private=True, proxy="environment")

    assert answer == DeliveryResult(200)


def test_a_proxy_with_another_protocol_is_reported(monkeypatch):
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:1080")

    answer = post("http://hooks.example/", b"", {}, timeout_seconds=5, proxy="environment")

    assert answer.error == "the proxy must have an http URL, not one that begins with 'socks5'"
