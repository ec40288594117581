"""The IP address under which a client is counted, with and without proxies."""

import pytest
from django.test import RequestFactory

from django_roomchat.policy import rate_limits


@pytest.mark.parametrize(
    ("peer", "forwarded", "proxies", "address"),
    [
        ("8.8.8.8", "", 0, "8.8.8.8"),
        ("8.8.8.8", "1.1.1.1", 0, "8.8.8.8"),
        ("127.0.0.1", "1.1.1.1", 0, ""),
        ("10.0.0.1", "", 0, ""),
        ("", "", 0, ""),
        ("unix", "", 0, ""),
        ("127.0.0.1", "9.9.9.9, 1.1.1.1", 1, "1.1.1.1"),
        ("127.0.0.1", "9.9.9.9, 1.1.1.1, 10.0.0.2", 2, "1.1.1.1"),
        ("127.0.0.1", "10.1.2.3", 1, "10.1.2.3"),
        ("8.8.8.8", "1.1.1.1", 2, "8.8.8.8"),
        ("127.0.0.1", "1.1.1.1:4711", 1, "1.1.1.1"),
        ("127.0.0.1", "[2001:4860:4860::8888]:4711", 1, "2001:4860:4860::/64"),
        ("127.0.0.1", "fe80::1%eth0", 1, "fe80::/64"),
        ("127.0.0.1", "::ffff:1.1.1.1", 1, "1.1.1.1"),
        ("127.0.0.1", "9.9.9.9,, 1.1.1.1,", 1, "1.1.1.1"),
        ("127.0.0.1", "1.1.1.1", 2, "127.0.0.1"),
        ("127.0.0.1", "", 1, "127.0.0.1"),
        ("127.0.0.1", "nonsense", 1, "unreadable"),
        ("127.0.0.1", "unix:", 1, "unreadable"),
        ("", "", 1, "unreadable"),
        ("nonsense", "", 0, "unreadable"),
        ("unix:", "", 0, ""),
        ("8.8.8.8:4711", "", 0, "8.8.8.8"),
        ("3fff::1", "", 0, ""),
        ("2001:4860:4860::8888", "", 0, "2001:4860:4860::/64"),
        ("::ffff:8.8.8.8", "", 0, "8.8.8.8"),
    ],
)
def test_the_ip_address_of_a_client(settings, peer, forwarded, proxies, address):
    settings.ROOMCHAT = {"PROXIES": proxies}
    header = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    request = RequestFactory().get("/", REMOTE_ADDR=peer, **header)
    headers = [(b"host", b"x")] + [
        (b"x-forwarded-for", part.encode()) for part in forwarded.split(",") if part
    ]
    scope = {"client": (peer, 1) if peer else None, "headers": headers}

    assert (rate_limits.address_of(request), rate_limits.address_of(scope)) == (address, address)


def test_forwarded_and_x_real_ip_are_not_read(settings):
    settings.ROOMCHAT = {"PROXIES": 1}
    headers = [(b"forwarded", b"for=1.1.1.1"), (b"x-real-ip", b"1.1.1.1"), (b"x-forwarded-for", b"9.9.9.9")]

    assert rate_limits.address_of({"client": ("127.0.0.1", 1), "headers": headers}) == "9.9.9.9"


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
@pytest.mark.parametrize(
    ("peer", "named"), [("127.0.0.1", "'127.0.0.1'"), ("10.0.0.1", "'10.0.0.1'"), ("", "'a unix socket'")]
)
def test_a_proxy_that_the_settings_do_not_mention_is_logged_once(settings, caplog, header, peer, named):
    settings.ROOMCHAT = {}
    request = RequestFactory().get("/", REMOTE_ADDR=peer, headers={header: "1.1.1.1"})
    scope = {
        "client": (peer, 1) if peer else None,
        "headers": [(b"host", b"x"), (header.lower().encode(), b"1.1.1.1")],
    }

    for source in (scope, request, scope):
        rate_limits.address_of(source)

    assert [record.getMessage() for record in caplog.records] == [
        f"A proxy at {named} forwards requests, and ROOMCHAT['PROXIES'] is 0: the rate limits for IP addresses do not apply. "
        "Set it to the number of your proxies"
    ]


@pytest.mark.parametrize(
    ("peer", "headers", "proxies"),
    [
        ("127.0.0.1", {"X-Forwarded-For": "1.1.1.1"}, 1),
        ("127.0.0.1", {}, 0),
        ("8.8.8.8", {"X-Forwarded-For": "1.1.1.1"}, 0),
    ],
)
def test_nothing_is_logged_about_other_requests(settings, caplog, peer, headers, proxies):
    settings.ROOMCHAT = {"PROXIES": proxies}

    rate_limits.address_of(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers))

    assert caplog.records == []
